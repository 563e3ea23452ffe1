package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"steward/ent"
	"steward/internal/area/notify"
	"steward/internal/platform/i18n"
	"steward/internal/rules/ident"
	"steward/views/desk"
	"steward/views/layout"
)

// noticesShown is how many messages a page has.
const noticesShown = 50

// notices is the page of the messages to the reader.
func (s *site) notices(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = min(max(page, 1), 10_000)
	list, err := notify.List(ctx, s.store, noticesShown+1, (page-1)*noticesShown)
	if err != nil {
		return err
	}
	var p desk.Notifications
	if len(list) > noticesShown {
		list, p.Older = list[:noticesShown], layout.PathNotifications+"?page="+strconv.Itoa(page+1)
	}
	if page > 1 {
		p.Newer = layout.PathNotifications + "?page=" + strconv.Itoa(page-1)
	}
	for _, x := range list {
		p.List = append(p.List, desk.Notification{ID: x.ID.String(), Text: told(ctx, x), When: ago(ctx, x.CreatedAt), At: x.CreatedAt,
			Open: layout.PathNotifications + "/" + x.ID.String(), Unread: x.ReadAt == nil})
		if x.ReadAt == nil {
			p.ReadAll = layout.PathNotifications
		}
	}
	title := i18n.C(ctx, "notify.title")
	return s.show(w, r, http.StatusOK, s.frame(r, title, layout.Crumb{Label: title}), desk.NotificationsPage(p))
}

// told is a message in the words of the reader. JSON has made floats of its numbers.
func told(ctx context.Context, x *ent.Notification) string {
	var args []any
	for _, name := range slices.Sorted(maps.Keys(x.Args)) {
		value := x.Args[name]
		if f, ok := value.(float64); ok && f == float64(int(f)) {
			value = int(f)
		}
		args = append(args, name, value)
	}
	return i18n.C(ctx, x.Message, args...)
}

// unread answers with the bell and the number of messages that were not read.
func (s *site) unread(w http.ResponseWriter, r *http.Request) error {
	n, err := notify.Unread(r.Context(), s.store)
	if err != nil {
		return err
	}
	if n == 0 {
		w.WriteHeader(http.StatusNoContent) // the bell stays as it is
		return nil
	}
	return s.part(w, r, http.StatusOK, layout.BellWith(i18n.From(r.Context()), n, back(r) == layout.PathNotifications))
}

// openNotice marks a message as read and leads to what it is about.
func (s *site) openNotice(w http.ResponseWriter, r *http.Request) error {
	x, err := notify.Read(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	to := layout.PathNotifications
	if x.Href != "" {
		to = local(x.Href)
	}
	return leave(w, r, to)
}

// readNotices marks all messages as read.
func (s *site) readNotices(w http.ResponseWriter, r *http.Request) error {
	if _, err := notify.ReadAll(r.Context(), s.store); err != nil {
		return err
	}
	s.flash(w, "entity.notifications_read", "")
	return leave(w, r, layout.PathNotifications)
}
