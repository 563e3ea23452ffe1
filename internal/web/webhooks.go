package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"steward/ent"
	"steward/ent/integration"
	entwebhook "steward/ent/webhook"
	"steward/ent/webhookdelivery"
	"steward/internal/area/webhook"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	"steward/views/layout"
	"steward/views/ui"
)

// messagesShown is how many messages of a webhook are on a page.
const messagesShown = 50

// webhookPages are the routes of webhooks, of administrators of the application alone.
func (s *site) webhookPages() map[string]handler {
	if s.Webhooks == nil {
		return nil
	}
	return map[string]handler{
		"GET /admin/webhooks":                        s.webhooksPage,
		"POST /admin/webhooks":                       s.createWebhook,
		"GET /admin/webhooks/{id}":                   s.webhookPage,
		"POST /admin/webhooks/{id}/rotate":           s.rotateWebhook,
		"POST /admin/webhooks/{id}/test":             s.doWebhook(s.Webhooks.Test, "entity.webhook_tested"),
		"POST /admin/webhooks/{id}/pause":            s.doWebhook(s.Webhooks.Pause, "entity.webhook_paused"),
		"POST /admin/webhooks/{id}/resume":           s.doWebhook(s.Webhooks.Resume, "entity.webhook_resumed"),
		"POST /admin/webhooks/{id}/archive":          s.archiveWebhook,
		"POST /admin/webhooks/{id}/replay":           s.replayWebhookSince,
		"POST /admin/webhooks/{id}/replay/{message}": s.replayWebhook,
	}
}

// webhooksPage lists the webhooks and offers the form of a new one.
func (s *site) webhooksPage(w http.ResponseWriter, r *http.Request) error {
	return s.showWebhooks(w, r, http.StatusOK, webhook.Input{}, nil)
}

func (s *site) showWebhooks(w http.ResponseWriter, r *http.Request, status int, in webhook.Input, wrong error) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	list, err := s.Webhooks.List(ctx)
	if err != nil {
		return err
	}
	services, err := s.store.ClientOf(ctx).Integration.Query().Where(integration.ArchivedAtIsNil()).Order(integration.ByName()).All(scope.Elevate(ctx)) // List has checked the right
	if err != nil {
		return err
	}
	p := desk.Webhooks{List: desk.Table{Label: i18n.T(lang, "webhook.list"), Blank: ui.Blank{Icon: "webhook", Title: i18n.T(lang, "webhook.none"), Text: i18n.T(lang, "webhook.none_text")},
		Heads: []string{i18n.T(lang, "webhook.name"), i18n.T(lang, "webhook.url"), i18n.T(lang, "webhook.types"), i18n.T(lang, "webhook.integration"), i18n.T(lang, "webhook.state")}}}
	names := map[ident.ID]string{}
	for _, i := range services {
		names[i.ID] = i.Name
	}
	for _, h := range list {
		p.List.Rows = append(p.List.Rows, []ui.Component{desk.Link("/admin/webhooks/"+h.ID.String(), h.Name), ui.Text(h.URL), ui.Text(typesOf(lang, h)), ui.Text(names[h.IntegrationID]), webhookState(ctx, h)})
	}
	if s.changesWebhooks(ctx) {
		p.New = webhookForm(lang, services, in, wrong)
		if len(p.New.Integration.Options) == 0 {
			p.New, p.Hint = nil, ui.Banner(ui.Notice{Tone: ui.Info, Title: i18n.T(lang, "webhook.no_services")})
		}
	}
	title := i18n.T(lang, "nav.webhooks")
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: title}), desk.WebhooksPage(p))
}

func (s *site) changesWebhooks(ctx context.Context) bool {
	return access.May(viewer.From(ctx), "Webhook", access.Write)
}

func typesOf(lang string, h *ent.Webhook) string {
	if len(h.Types) == 0 {
		return i18n.T(lang, "webhook.all_types")
	}
	return strings.Join(h.Types, ", ")
}

// webhookState is how a webhook is, in a word.
func webhookState(ctx context.Context, h *ent.Webhook) ui.Component {
	lang := i18n.From(ctx)
	switch {
	case !h.Active && h.StoppedBecause != "":
		return ui.Badge(ui.Bad, i18n.T(lang, "webhook.stopped."+h.StoppedBecause), "")
	case !h.Active:
		return ui.Badge(ui.Neutral, i18n.T(lang, "webhook.state.paused"), "")
	case h.FailingSince != nil:
		return ui.Badge(ui.Warn, i18n.T(lang, "webhook.state.failing", "since", i18n.Time(lang, *h.FailingSince, i18n.Zone(ctx))), "")
	}
	return ui.Badge(ui.OK, i18n.T(lang, "webhook.state.active"), "")
}

// webhookForm is the form of a new webhook with what was typed and what was wrong.
func webhookForm(lang string, services []*ent.Integration, in webhook.Input, wrong error) *desk.WebhookForm {
	texts := i18n.FieldTexts(lang, wrong)
	field := func(name, value string) ui.Field {
		return ui.Field{Name: name, Label: i18n.T(lang, "webhook."+name), Value: value, Err: texts[name]}
	}
	f := &desk.WebhookForm{Errors: i18n.Fields(lang, wrong), Name: field("name", in.Name), URL: field("url", in.URL), Types: field("types", strings.Join(in.Types, ", ")),
		Integration: field("integration", in.Integration.String()), Scheme: field("scheme", string(entwebhook.SchemeHMAC))}
	if wrong != nil && len(f.Errors) == 0 {
		f.Failure = i18n.Error(lang, wrong)
	}
	f.Name.Required, f.Name.Max = true, 120
	f.URL.Required, f.URL.Max, f.URL.Type, f.URL.Placeholder, f.URL.Hint = true, 2000, "url", "https://", i18n.T(lang, "webhook.url_hint")
	f.Types.Max, f.Types.Wide, f.Types.Hint = 2000, true, i18n.T(lang, "webhook.types_hint")
	f.Integration.Hint = i18n.T(lang, "webhook.integration_hint")
	if in.Ed25519 {
		f.Scheme.Value = string(entwebhook.SchemeED25519)
	}
	for _, scheme := range []entwebhook.Scheme{entwebhook.SchemeHMAC, entwebhook.SchemeED25519} {
		f.Scheme.Options = append(f.Scheme.Options, ui.Option{Value: string(scheme), Label: i18n.T(lang, "webhook.scheme."+string(scheme))})
	}
	for _, i := range services {
		if i.Active {
			f.Integration.Options = append(f.Integration.Options, ui.Option{Value: i.ID.String(), Label: i.Name})
		}
	}
	return f
}

// createWebhook makes a webhook; its secret is on this answer only.
func (s *site) createWebhook(w http.ResponseWriter, r *http.Request) error {
	in := webhook.Input{Name: r.PostFormValue("name"), URL: r.PostFormValue("url"), Integration: ident.ID(r.PostFormValue("integration")), Ed25519: r.PostFormValue("scheme") == string(entwebhook.SchemeED25519)}
	for p := range strings.FieldsFuncSeq(r.PostFormValue("types"), func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
		in.Types = append(in.Types, p)
	}
	secret, made, err := s.Webhooks.Create(r.Context(), in)
	switch errs.CodeOf(err) {
	case "":
		return s.showWebhook(w, r, made.ID, http.StatusOK, secret)
	case errs.Validation:
		return s.showWebhooks(w, r, http.StatusUnprocessableEntity, in, err)
	}
	return err
}

// webhookPage shows one webhook with its log.
func (s *site) webhookPage(w http.ResponseWriter, r *http.Request) error {
	return s.showWebhook(w, r, ident.ID(r.PathValue("id")), http.StatusOK, "")
}

func (s *site) showWebhook(w http.ResponseWriter, r *http.Request, id ident.ID, status int, secret string, banners ...ui.Notice) error {
	ctx := r.Context()
	lang, zone := i18n.From(ctx), i18n.Zone(ctx)
	h, err := s.Webhooks.Get(ctx, id)
	if err != nil {
		return err
	}
	list, err := s.Webhooks.Log(ctx, id, ident.ID(r.URL.Query().Get("after")), messagesShown+1)
	if err != nil {
		return err
	}
	service, err := s.store.ClientOf(ctx).Integration.Get(scope.Elevate(ctx), h.IntegrationID)
	if err != nil {
		return store.Known(err)
	}
	p := desk.Webhook{Path: "/admin/webhooks/" + id.String(), Name: h.Name, URL: h.URL, State: webhookState(ctx, h), Secret: secret, Banners: banners, Active: h.Active, Decides: s.changesWebhooks(ctx),
		Since: ui.Field{Name: "since", Label: i18n.T(lang, "webhook.when"), Required: true, Value: civil.DateOf(s.Now().In(zone)).String()},
		Facts: []ui.Fact{{Label: i18n.T(lang, "webhook.types"), Value: typesOf(lang, h)}, {Label: i18n.T(lang, "webhook.integration"), Value: service.Name},
			{Label: i18n.T(lang, "webhook.scheme"), Value: i18n.T(lang, "webhook.scheme."+string(h.Scheme))}}}
	if h.PreviousSecretUntil != nil && h.PreviousSecretUntil.After(s.Now()) {
		p.Facts = append(p.Facts, ui.Fact{Label: i18n.T(lang, "webhook.both_until"), Value: i18n.Time(lang, *h.PreviousSecretUntil, zone)})
	}
	if len(list) > messagesShown {
		list = list[:messagesShown]
		p.Next = p.Path + "?" + url.Values{"after": {list[messagesShown-1].ID.String()}}.Encode()
	}
	for _, d := range list {
		p.Log = append(p.Log, webhookMessage(ctx, p.Path, d, p.Decides))
	}
	frame := s.frame(r, h.Name, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: i18n.T(lang, "nav.webhooks"), Href: "/admin/webhooks"}, layout.Crumb{Label: h.Name})
	return s.show(w, r, status, frame, desk.WebhookPage(p))
}

var messageTones = map[webhookdelivery.Status]ui.Tone{webhookdelivery.StatusWAITING: ui.Info, webhookdelivery.StatusDELIVERED: ui.OK, webhookdelivery.StatusFAILED: ui.Bad, webhookdelivery.StatusDROPPED: ui.Neutral}

func webhookMessage(ctx context.Context, path string, d *ent.WebhookDelivery, decides bool) desk.WebhookMessage {
	lang, zone := i18n.From(ctx), i18n.Zone(ctx)
	m := desk.WebhookMessage{ID: d.ID.String(), Type: d.Type, Subject: d.SubjectID, When: i18n.Time(lang, d.CreatedAt, zone), Stamp: d.CreatedAt.UTC().Format(time.RFC3339),
		Status: ui.Badge(messageTones[d.Status], i18n.T(lang, "webhook.status."+string(d.Status)), ""), Attempts: strconv.Itoa(d.Attempts)}
	switch {
	case d.Attempts == 0:
	case d.StatusCode == 0:
		m.Answer = d.Answer
		if key := "outbound." + d.Answer; i18n.Has(lang, key) {
			m.Answer = i18n.T(lang, key)
		}
	default:
		m.Answer = strings.TrimSpace(strconv.Itoa(d.StatusCode) + " " + d.Answer)
	}
	if d.Attempts > 0 {
		m.Took = i18n.T(lang, "webhook.millis", "ms", d.Millis)
	}
	if d.Status == webhookdelivery.StatusWAITING && d.Attempts > 0 {
		m.Next = i18n.T(lang, "webhook.next", "when", i18n.Time(lang, d.NextAt, zone))
	}
	if decides {
		m.Replay = path + "/replay/" + m.ID
	}
	return m
}

// rotateWebhook gives a webhook a new secret, which is on this answer only.
func (s *site) rotateWebhook(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	secret, err := s.Webhooks.Rotate(r.Context(), id)
	if err != nil {
		return err
	}
	return s.showWebhook(w, r, id, http.StatusOK, secret)
}

// doWebhook carries out a verb that needs nothing but the webhook. Where its state does not allow it, the
// page as it is now says so.
func (s *site) doWebhook(do func(context.Context, ident.ID) error, said string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := ident.ID(r.PathValue("id"))
		err := do(r.Context(), id)
		switch {
		case err == nil:
			s.flash(w, said, "")
			return leave(w, r, "/admin/webhooks/"+id.String())
		case errs.CodeOf(err) != errs.State:
			return err
		}
		lang := i18n.From(r.Context())
		return s.showWebhook(w, r, id, http.StatusConflict, "", ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.Error(lang, err), Alert: true})
	}
}

// archiveWebhook ends a webhook.
func (s *site) archiveWebhook(w http.ResponseWriter, r *http.Request) error {
	if err := s.Webhooks.Archive(r.Context(), ident.ID(r.PathValue("id"))); err != nil {
		return err
	}
	s.flash(w, "entity.webhook_archived", "")
	return leave(w, r, "/admin/webhooks")
}

// replayWebhook sends one message again.
func (s *site) replayWebhook(w http.ResponseWriter, r *http.Request) error {
	if err := s.Webhooks.Replay(r.Context(), ident.ID(r.PathValue("message"))); err != nil {
		return err
	}
	s.flash(w, "entity.webhook_replayed", "")
	return leave(w, r, "/admin/webhooks/"+r.PathValue("id"))
}

// replayWebhookSince sends the messages made since a day, in the reader's zone, again.
func (s *site) replayWebhookSince(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	day, err := time.ParseInLocation(time.DateOnly, r.PostFormValue("since"), i18n.Zone(r.Context()))
	if err != nil {
		if _, err := s.Webhooks.Get(r.Context(), id); err != nil {
			return err
		}
		lang := i18n.From(r.Context())
		return s.showWebhook(w, r, id, http.StatusUnprocessableEntity, "", ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.T(lang, "webhook.bad_time"), Alert: true})
	}
	if _, err := s.Webhooks.ReplaySince(r.Context(), id, day.UTC()); err != nil {
		return err
	}
	s.flash(w, "entity.webhook_replayed_since", "")
	return leave(w, r, "/admin/webhooks/"+id.String())
}
