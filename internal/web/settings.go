package web

import (
	"net/http"
	"strconv"
	"strings"

	"steward/internal/area/approval"
	"steward/internal/area/retention"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	"steward/views/layout"
	"steward/views/ui"
)

// settingsPage is what administrators decide at run time.
func (s *site) settingsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, nil, nil, nil)
}

// showSettings draws the page, with what was typed into one of its forms and what is wrong
// with it: with how long things are kept, or with the threshold of approvals.
func (s *site) showSettings(w http.ResponseWriter, r *http.Request, status int, typed map[string]string, wrong, wrongAmount error) error {
	ctx := r.Context()
	days, version, err := retention.List(ctx, s.store)
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	texts := i18n.FieldTexts(lang, wrong)
	f := desk.Settings{Version: version, Errors: i18n.Fields(lang, wrong), MayWrite: access.May(viewer.From(ctx), "Setting", access.Write)}
	if wrong != nil && len(f.Errors) == 0 {
		f.Failure = i18n.Error(lang, wrong)
	}
	for _, c := range retention.Classes {
		field := ui.Field{Name: c.Name, ID: "keep-" + c.Name, Label: i18n.T(lang, "retention."+c.Name), Hint: i18n.T(lang, "retention.hint", "n", c.Days, "least", c.Least, "most", c.Most),
			Value: strconv.Itoa(days[c.Name]), Required: true, Max: 5, Err: texts[c.Name], ReadOnly: !f.MayWrite}
		if text, ok := typed[c.Name]; ok {
			field.Value = text
		}
		f.Fields = append(f.Fields, field)
	}
	amount, version, err := approval.Get(ctx, s.store)
	if err != nil {
		return err
	}
	texts = i18n.FieldTexts(lang, wrongAmount)
	f.Approval = desk.Approval{Version: version, Errors: i18n.Fields(lang, wrongAmount), Amount: ui.Field{Name: "threshold", Label: i18n.T(lang, "approval.threshold"),
		Hint: i18n.T(lang, "approval.hint", "usual", anyCurrency(lang, approval.Usual)), Value: anyCurrency(lang, amount), Required: true, Max: 30, Err: texts["threshold"], ReadOnly: !f.MayWrite}}
	if text, ok := typed["threshold"]; ok {
		f.Approval.Amount.Value = text
	}
	if wrongAmount != nil && len(f.Approval.Errors) == 0 {
		f.Approval.Failure = i18n.Error(lang, wrongAmount)
	}
	title := i18n.T(lang, "nav.settings")
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: title}), desk.SettingsPage(f))
}

// saveSettings changes how long things are kept.
func (s *site) saveSettings(w http.ResponseWriter, r *http.Request) error {
	if err := offered(r.Context(), "Setting", access.Write); err != nil {
		return err
	}
	typed, days := map[string]string{}, map[string]int{}
	var wrong *errs.Error
	for _, c := range retention.Classes {
		text := strings.TrimSpace(r.PostFormValue(c.Name))
		typed[c.Name] = text
		n, err := strconv.Atoi(text)
		if err != nil {
			e := errs.Invalid(c.Name, "error.not_whole", "value", text)
			if wrong == nil {
				wrong = e
			} else {
				wrong = wrong.With(e.Fields[0])
			}
		}
		days[c.Name] = n
	}
	err := error(wrong)
	if wrong == nil {
		err = retention.Save(r.Context(), s.store, formVersion(r), days)
	}
	switch code := errs.CodeOf(store.Known(err)); {
	case err == nil:
		s.flash(w, "entity.saved", "")
		return leave(w, r, "/admin/settings")
	case code == errs.Validation || code == errs.Conflict:
		return s.showSettings(w, r, statuses[code], typed, errs.As(err), nil)
	}
	return err
}

// anyCurrency writes an amount that is in no one currency.
func anyCurrency(lang string, a money.Amount) string {
	return strings.TrimSpace(i18n.Money(lang, a, ""))
}

// saveThreshold changes from which amount on an approval wants a recent sign-in.
func (s *site) saveThreshold(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := offered(ctx, "Setting", access.Write); err != nil {
		return err
	}
	text := r.PostFormValue("threshold")
	amount, err := money.ParseInput(text, i18n.From(ctx))
	if err == nil {
		err = approval.Save(ctx, s.store, formVersion(r), amount)
	} else {
		err = errs.Invalid("threshold", errs.As(err).Key, errs.As(err).Args...)
	}
	switch code := errs.CodeOf(store.Known(err)); {
	case err == nil:
		s.flash(w, "entity.saved", "")
		return leave(w, r, "/admin/settings")
	case code == errs.Validation || code == errs.Conflict:
		return s.showSettings(w, r, statuses[code], map[string]string{"threshold": text}, nil, errs.As(err))
	}
	return err
}
