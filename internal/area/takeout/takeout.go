// Package takeout writes everything a caller may take out into files: one of JSON
// Lines for each type, made by a job that goes on where a killed one stopped.
//
// The GraphQL door starts exports and serves their files, internal/app runs the job,
// and the command line writes the same lines without one.
package takeout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/ent/portfolio"
	"steward/internal/platform/blob"
	"steward/internal/platform/entity"
	"steward/internal/platform/feed"
	"steward/internal/platform/job"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Kind is the name of the job.
const Kind = "export"

// KeptFor is how long the files of an export can be fetched.
const KeptFor = 7 * 24 * time.Hour

// atOnce is how many exports one caller may have under way.
const atOnce = 3

// Export is one export: its job and the files it has written.
type Export struct {
	ID          ident.ID
	Status      string
	Done, Total int
	Error       string
	Files       []*File
	ExpiresAt   *time.Time
	// Since is the place in the change feed from which on changes may be missing.
	Since string
}

// File is one finished file of an export.
type File struct {
	Type   string `json:"type"`
	Rows   int    `json:"rows"`
	Size   string `json:"size"`
	Sha256 string `json:"sha256"`
	Href   string `json:"href"`

	blob ident.ID
}

// order is what was asked for and by whom, with their rights at that time.
type order struct {
	Portfolio ident.ID `json:"portfolio,omitempty"`
	Types     []string `json:"types"`
	By        asker    `json:"by"`
}

type asker struct {
	Kind        viewer.Kind         `json:"kind"`
	ID          ident.ID            `json:"id"`
	Name        string              `json:"name"`
	Roles       []string            `json:"roles"`
	Memberships []viewer.Membership `json:"memberships"`
	TokenID     ident.ID            `json:"tokenId,omitempty"`
	OnBehalfOf  string              `json:"onBehalfOf,omitempty"`
}

// viewer is who asked, with the roles that take data out alone: what other roles let
// them read stays here.
func (a asker) viewer(request string) *viewer.Viewer {
	return Taking(&viewer.Viewer{Kind: a.Kind, ID: a.ID, Name: a.Name, Roles: a.Roles, Memberships: a.Memberships, TokenID: a.TokenID,
		OnBehalfOf: a.OnBehalfOf, Via: viewer.ViaJob, RequestID: request, Lang: "en", Zone: time.UTC})
}

// Taking returns the viewer with only those roles that may take data out as a file:
// what other roles let them read stays here.
func Taking(v *viewer.Viewer) *viewer.Viewer {
	c := *v
	c.Roles = slices.DeleteFunc(slices.Clone(v.Roles), func(role string) bool {
		return !slices.ContainsFunc(access.Grants(access.Role(role), access.ResourceExport), func(g access.Grant) bool { return g.Allows(access.Read) })
	})
	return &c
}

// Types returns the types that the viewer may take out, in the order of their names.
func Types(v *viewer.Viewer) (out []string) {
	for _, e := range entity.Registry() {
		if v.IsSystem() || !access.ForExport(v, e.Name).Empty() {
			out = append(out, e.Name)
		}
	}
	return out
}

// Start asks for an export of the types (all that the viewer may take out for none), of
// one portfolio where its key or id is given, together with what lies in none. The same
// one asked for again while it is under way is answered with that. The error is
// Forbidden for a type that is not theirs to take, Limit for a fourth at a time.
func Start(ctx context.Context, s *store.Store, key string, types []string) (*Export, error) {
	v := viewer.From(ctx)
	may := Types(v)
	for _, name := range types {
		switch {
		case !slices.Contains(feed.Types(), name):
			return nil, errs.Invalid("types", "error.not_in_list", "value", name, "options", strings.Join(may, ", "))
		case !slices.Contains(may, name):
			return nil, errs.Forbidden()
		}
	}
	if len(types) == 0 {
		types = may
	}
	if len(types) == 0 {
		return nil, errs.Forbidden()
	}
	in := order{Types: slices.Compact(slices.Sorted(slices.Values(types))),
		By: asker{v.Kind, v.ID, v.Name, v.Roles, v.Memberships, v.TokenID, v.OnBehalfOf}}
	var err error
	if in.Portfolio, err = Portfolio(ctx, s, key); err != nil {
		return nil, err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	o := job.Options{Unique: "export " + hex.EncodeToString(sum[:]), Portfolio: in.Portfolio}
	var id ident.ID
	if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		under := c.Job.Query().Where(entjob.Kind(Kind), entjob.ActorID(v.ID.String()), entjob.StatusIn(entjob.StatusREADY, entjob.StatusRUNNING))
		n, err := under.Clone().Where(entjob.UniqueKeyNEQ(o.Unique)).Count(own)
		if err == nil && n >= atOnce {
			err = errs.New(errs.Limit, "takeout.at_once", "max", atOnce)
		}
		if err == nil {
			id, err = job.Enqueue(ctx, s, Kind, in, o)
		}
		return err
	}); err != nil {
		return nil, err
	}
	return Find(ctx, s, id)
}

// Portfolio returns the id of the portfolio with the key or id, "" for neither.
func Portfolio(ctx context.Context, s *store.Store, key string) (ident.ID, error) {
	if key == "" {
		return "", nil
	}
	x, err := s.ClientOf(ctx).Portfolio.Query().Where(portfolio.Or(portfolio.ID(ident.ID(key)), portfolio.Key(key), portfolio.Key("PF-"+strings.ToUpper(key)))).Only(ctx)
	if err != nil {
		return "", store.Known(err)
	}
	return x.ID, nil
}

// Find returns an export that the viewer has asked for. The error is NotFound for
// another's, and for one made with rights that they no longer have.
func Find(ctx context.Context, s *store.Store, id ident.ID) (*Export, error) {
	v := viewer.From(ctx)
	x, err := s.ClientOf(ctx).Job.Query().Where(entjob.ID(id), entjob.Kind(Kind), entjob.ActorID(v.ID.String())).Only(scope.Elevate(ctx))
	if err != nil {
		return nil, store.Known(err)
	}
	var in order
	var p job.Progress
	var m mark
	for _, c := range []struct {
		from map[string]any
		into any
	}{{x.Input, &in}, {x.Progress, &p}} {
		b, err := json.Marshal(c.from)
		if err == nil {
			err = json.Unmarshal(b, c.into)
		}
		if err != nil {
			return nil, err
		}
	}
	if !in.By.within(v) {
		return nil, errs.NotFound()
	}
	if p.Mark != "" {
		if err := json.Unmarshal([]byte(p.Mark), &m); err != nil {
			return nil, err
		}
	}
	out := &Export{ID: x.ID, Status: string(x.Status), Done: p.Done, Total: p.Total, Error: x.Error, Files: []*File{}, Since: m.Since}
	for _, f := range m.Files {
		out.Files = append(out.Files, &File{f.Type, f.Rows, strconv.FormatInt(f.Size, 10), f.Sha256, "/exports/" + x.ID.String() + "/" + f.Type + ".jsonl", f.Blob})
	}
	if x.Status == entjob.StatusDONE {
		until := x.EndedAt.Add(KeptFor)
		out.ExpiresAt = &until
	}
	return out, nil
}

// within reports whether the viewer still has all the rights that the export was made
// with.
func (a asker) within(v *viewer.Viewer) bool {
	for _, r := range a.Roles {
		if !slices.Contains(v.Roles, r) {
			return false
		}
	}
	for _, m := range a.Memberships {
		if !slices.Contains(v.Memberships, m) {
			return false
		}
	}
	return v.Kind == a.Kind && v.ID == a.ID
}

// Open returns the content of one file of an export that Find has returned. The error
// is NotFound for a type it does not have and when it has expired.
func Open(ctx context.Context, s *store.Store, x *Export, name string) (io.ReadSeeker, *File, error) {
	if x.ExpiresAt != nil && time.Now().UTC().After(*x.ExpiresAt) {
		return nil, nil, errs.NotFound()
	}
	for _, f := range x.Files {
		if f.Type == name {
			r, err := blob.OpenAt(ctx, s, f.blob)
			return r, f, err
		}
	}
	return nil, nil, errs.NotFound()
}
