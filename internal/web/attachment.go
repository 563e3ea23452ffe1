package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"steward/ent"
	"steward/internal/area/attachment"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// filesAtOnce is the most files one form brings, uploadMax how much that can be,
// and transferTime how long files may be on their way: longer than a page may.
const (
	filesAtOnce  = 10
	uploadMax    = filesAtOnce*attachment.MaxSize + 1<<20
	transferTime = 10 * time.Minute
)

// filesAnchor is where the files stand on the page of a record.
const filesAnchor = "#files-card"

// files are the files of a record with the field for more.
func (s *site) files(ctx context.Context, on ident.ID, href string) (ui.Files, error) {
	lang := i18n.From(ctx)
	out := ui.Files{ID: "files", Accept: attachment.Accept, Hint: i18n.T(lang, "ui.files.hint", "types", attachment.Types, "megabytes", attachment.MaxSize>>20)}
	found, err := attachment.List(ctx, s.store, on)
	if err != nil {
		return out, err
	}
	for _, x := range found.List {
		at := "/attachments/" + x.ID.String()
		f := ui.FileRow{ID: x.ID.String(), Name: x.Name, About: size(lang, x.Size), Who: x.ActorName, When: ago(ctx, x.CreatedAt), At: x.CreatedAt}
		if _, ending, ok := cutLast(x.Name, "."); ok {
			f.About = strings.ToUpper(ending) + " · " + f.About
		}
		switch x.Status {
		case "READY":
			if f.Href = at; attachment.Picture(x.MediaType) {
				f.Preview = at + "/preview"
			}
		case "QUARANTINED":
			f.State, f.Tone = i18n.T(lang, "attachment.state.QUARANTINED"), ui.Bad
		default:
			f.State, f.Tone = i18n.T(lang, "attachment.state.HELD"), ui.Warn
		}
		if found.Writable {
			f.Remove = at + "/remove"
		}
		out.List = append(out.List, f)
	}
	if found.Writable {
		out.Post = href + "/files"
	}
	return out, nil
}

// cutLast cuts a text at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// size writes how large a file is.
func size(lang string, n int64) string {
	switch {
	case n >= 1<<20:
		return i18n.T(lang, "attachment.size.mb", "size", i18n.Number(lang, float64(n)/(1<<20), 1))
	case n >= 1<<10:
		return i18n.T(lang, "attachment.size.kb", "size", i18n.Number(lang, float64(n)/(1<<10), 0))
	}
	return i18n.T(lang, "attachment.size.b", "n", int(n))
}

// addFiles puts the files of a form on a record. Each is taken or refused by
// itself; what was refused is said by name.
func (s *site) addFiles(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	row, err := s.editable(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	patient(w)
	r.Body = http.MaxBytesReader(w, r.Body, uploadMax)
	parts, err := r.MultipartReader()
	if err != nil {
		return errs.New(errs.Validation, "attachment.no_file").Wrap(err)
	}
	added, refused, err := s.takeFiles(r.Context(), row.ID, parts)
	switch {
	case err != nil:
		return err
	case len(refused) > 0:
		return s.filesPage(w, r, e, row, refused)
	case added == 0:
		return s.filesPage(w, r, e, row, []string{i18n.C(r.Context(), "attachment.no_file")})
	case added == 1:
		s.flash(w, "entity.file_added", "")
	default:
		s.flash(w, "entity.files_added", "")
	}
	return leave(w, r, view.Href(e, row)+filesAnchor)
}

// patient gives a request the time that files take.
func patient(w http.ResponseWriter) {
	c, until := http.NewResponseController(w), time.Now().UTC().Add(transferTime)
	_ = c.SetReadDeadline(until) // a writer without deadlines has none to move
	_ = c.SetWriteDeadline(until)
}

// sending remembers that reading a file failed, to tell it from a refused file.
type sending struct {
	io.Reader
	err error
}

func (u *sending) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF {
		u.err = err
	}
	return n, err
}

// takeFiles adds the files one after the other, as they come in.
func (s *site) takeFiles(ctx context.Context, on ident.ID, parts *multipart.Reader) (added int, refused []string, err error) {
	for n := 0; ; {
		part, err := parts.NextPart()
		if err == io.EOF {
			return added, refused, nil
		}
		if err != nil {
			return added, append(refused, cutOff(ctx, err)), nil
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		if n++; n > filesAtOnce {
			return added, append(refused, i18n.C(ctx, "attachment.too_many_at_once", "max", filesAtOnce)), nil
		}
		from := &sending{Reader: part}
		_, err = attachment.Add(ctx, s.store, s.Scanner, on, part.FileName(), from)
		if from.err != nil {
			return added, append(refused, cutOff(ctx, from.err)), nil
		}
		known := errs.As(store.Known(err))
		switch {
		case known == nil:
			added++
		case known.Code == errs.Validation, known.Code == errs.Limit:
			refused = append(refused, attachment.Clean(part.FileName())+": "+sentence(ctx, known))
		default:
			return added, nil, err
		}
	}
}

// cutOff says why a form did not come to its end.
func cutOff(ctx context.Context, err error) string {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return i18n.C(ctx, "attachment.too_many_at_once", "max", filesAtOnce)
	}
	return i18n.C(ctx, "attachment.cut_off")
}

// sentence is what is wrong, about the one field where it is about one.
func sentence(ctx context.Context, err *errs.Error) string {
	if list := i18n.Fields(i18n.From(ctx), err); len(list) > 0 {
		return list[0].Text
	}
	return i18n.ErrorC(ctx, err)
}

// filesPage shows the files of a record by themselves, with what was refused.
func (s *site) filesPage(w http.ResponseWriter, r *http.Request, e *entity.Entity, row entity.Row, refused []string) error {
	ctx, href := r.Context(), view.Href(e, row)
	files, err := s.files(ctx, row.ID, href)
	if err != nil {
		return err
	}
	files.Refused = refused
	return s.show(w, r, http.StatusUnprocessableEntity, s.ofRecord(r, e, row, i18n.C(ctx, "ui.files.title")), view.FilesPage(href, files))
}

// ofRecord is the frame of a page that belongs to a record.
func (s *site) ofRecord(r *http.Request, e *entity.Entity, row entity.Row, title string) layout.Page {
	show := view.Show{Lang: i18n.From(r.Context()), Zone: i18n.Zone(r.Context())}
	return s.frame(r, title, layout.Crumb{Label: view.Name(show.Lang, e, 2), Href: "/" + e.Path},
		layout.Crumb{Label: show.Title(e, row), Href: view.Href(e, row)}, layout.Crumb{Label: title})
}

// attachment sends a file to be kept, never to be shown.
func (s *site) attachment(w http.ResponseWriter, r *http.Request) error {
	return s.send(w, r, "attachment", func(*ent.Attachment) bool { return true })
}

// attachmentPreview sends a picture for a page of this site to show.
func (s *site) attachmentPreview(w http.ResponseWriter, r *http.Request) error {
	return s.send(w, r, "inline", func(x *ent.Attachment) bool { return attachment.Picture(x.MediaType) })
}

// send sends a file to whoever may read its record now. Should a browser open it as
// a page after all, that page may do nothing (UP-2).
func (s *site) send(w http.ResponseWriter, r *http.Request, how string, fits func(*ent.Attachment) bool) error {
	x, content, err := attachment.Open(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	defer content.Close()
	if !fits(x) {
		return errs.NotFound()
	}
	patient(w)
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Type", x.MediaType)
	h.Set("Content-Length", strconv.FormatInt(x.Size, 10))
	h.Set("Content-Disposition", disposition(how, x.Name))
	if _, err := io.Copy(w, content); err != nil { // half a file must not look like a whole one
		s.Log.WarnContext(r.Context(), "file cut short", "file", x.ID.String(), "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// disposition names a file in a header as RFC 6266 wants it: plain letters for old
// programs, and the name itself with everything but plain letters encoded, so that
// no name can end the header or the value.
func disposition(how, name string) string {
	var plain, encoded strings.Builder
	for _, b := range []byte(name) {
		if b < 0x80 && (b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || strings.IndexByte("-._", b) >= 0) {
			plain.WriteByte(b)
			encoded.WriteByte(b)
			continue
		}
		if b < 0x80 || b >= 0xc0 { // one for each character
			plain.WriteByte('_')
		}
		const digits = "0123456789ABCDEF"
		encoded.Write([]byte{'%', digits[b>>4], digits[b&15]})
	}
	return how + `; filename="` + plain.String() + `"; filename*=UTF-8''` + encoded.String()
}

// ownFile returns a file with the record it hangs on, as far as the viewer sees it.
func (s *site) ownFile(r *http.Request) (*ent.Attachment, *entity.Entity, entity.Row, error) {
	x, err := attachment.Get(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return nil, nil, entity.Row{}, err
	}
	e := entity.ByName(x.SubjectType)
	row, err := s.find(r.Context(), e, x.SubjectID.String())
	return x, e, row, err
}

// askToRemoveFile asks before a file is removed: in a dialog, or on a page of its own.
func (s *site) askToRemoveFile(w http.ResponseWriter, r *http.Request) error {
	x, e, row, err := s.ownFile(r)
	if err != nil {
		return err
	}
	ok, err := s.mayChange(r.Context(), e, row.ID)
	if err == nil && !ok {
		err = errs.Forbidden()
	}
	if err != nil {
		return err
	}
	ctx, action := r.Context(), "/attachments/"+x.ID.String()+"/remove"
	title := i18n.C(ctx, "ui.files.remove_title", "name", x.Name)
	if fragment(r) {
		return s.part(w, r, http.StatusOK, ui.Confirm(ui.ConfirmProps{ID: "remove-file", Title: title, Text: i18n.C(ctx, "ui.files.remove_text"), Action: action, Button: i18n.C(ctx, "ui.files.remove_button"), Kind: ui.Danger, Open: true}))
	}
	return s.show(w, r, http.StatusOK, s.ofRecord(r, e, row, title), view.RemoveFilePage(title, action, view.Href(e, row)))
}

// removeFile takes a file off its record.
func (s *site) removeFile(w http.ResponseWriter, r *http.Request) error {
	x, e, row, err := s.ownFile(r)
	if err != nil {
		return err
	}
	if _, err := attachment.Remove(r.Context(), s.store, x.ID); err != nil {
		return err
	}
	s.flash(w, "entity.file_removed", "~"+x.ID.String())
	return leave(w, r, view.Href(e, row)+filesAnchor)
}

// restoreFile brings a removed file back.
func (s *site) restoreFile(w http.ResponseWriter, r *http.Request) error {
	x, err := attachment.Restore(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	s.flash(w, "entity.file_restored", "")
	e := entity.ByName(x.SubjectType)
	row, err := s.find(r.Context(), e, x.SubjectID.String())
	if err != nil {
		return err
	}
	return leave(w, r, view.Href(e, row)+filesAnchor)
}
