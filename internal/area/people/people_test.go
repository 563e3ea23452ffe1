package people_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/area/people"
	"steward/internal/platform/auth"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

type world struct {
	*testing.T
	s                 *store.Store
	ours, theirs      *ent.Portfolio
	product           *ent.Product
	vendor            *ent.Vendor
	team              *ent.Team
	ada, abe, nora    *ent.Person
	admin, second     context.Context
	manager           context.Context
	aud, mine, anyone context.Context
}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{T: t, s: s}
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.ours = c.Portfolio.Create().SetName("Ours").SaveX(ctx)
			w.theirs = c.Portfolio.Create().SetName("Theirs").SaveX(ctx)
			w.product = c.Product.Create().SetName("P").SetPortfolioID(w.ours.ID).SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("V").SaveX(ctx)
			w.team = c.Team.Create().SetName("T").SaveX(ctx)
			w.ada = c.Person.Create().SetName("Ada").SaveX(ctx)
			w.abe = c.Person.Create().SetName("Abe").SaveX(ctx)
			w.nora = c.Person.Create().SetName("Nora").SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		w.admin, w.second = as(w.ada.ID, "app-admin"), as(w.abe.ID, "app-admin")
		w.manager = as("per_pia", "portfolio-manager", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelManager})
		w.aud, w.mine, w.anyone = as("per_aud", "auditor"), as(w.nora.ID, "viewer"), as("per_any", "viewer")
		test(w)
	})
}

func as(id ident.ID, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: id, Name: string(id), Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en",
		SessionID: "ses_" + id, AuthTime: time.Now()})
}

func (w *world) code(what string, err error, code errs.Code, key string) {
	w.Helper()
	if errs.CodeOf(err) != code || key != "" && errs.As(err).Key != key && (len(errs.As(err).Fields) == 0 || errs.As(err).Fields[0].Path != key) {
		w.Errorf("%s: %v", what, err)
	}
}

// rows counts everything the verbs here may write, the audit included.
func (w *world) rows() string {
	ctx, c := testkit.System(), w.s.Client
	return fmt.Sprint(c.RoleGrant.Query().CountX(ctx), c.Membership.Query().CountX(ctx), c.ApiToken.Query().CountX(ctx),
		c.ChangeEvent.Query().CountX(ctx), c.OutboxEvent.Query().CountX(ctx))
}

func TestRolesAreGrantedByAdministratorsOnly(t *testing.T) {
	each(t, func(w *world) {
		in := people.RoleInput{Person: w.nora.ID, Role: "vendor-manager", Reason: "new job"}
		before := w.rows()
		for _, role := range access.Roles {
			if role == access.RoleAppAdmin {
				continue
			}
			ctx := as("per_x", string(role), viewer.Membership{Scope: viewer.ScopeAll, Level: viewer.LevelManager})
			_, err := people.Grant(ctx, w.s, in)
			if code := errs.CodeOf(err); code != errs.CodeNotFound && code != errs.CodeForbidden {
				t.Errorf("%s grants: %v", role, err)
			}
		}
		token := viewer.From(w.admin)
		byToken := *token
		byToken.TokenID = "tok_1"
		_, err := people.Grant(viewer.With(context.Background(), &byToken), w.s, in)
		w.code("a token", err, errs.CodeNotFound, "")
		self := in
		self.Person = w.ada.ID
		_, err = people.Grant(w.admin, w.s, self)
		w.code("for oneself", err, errs.CodeForbidden, "people.not_oneself")
		past := time.Now().Add(-time.Hour)
		limit := money.Amount(5)
		for path, bad := range map[string]people.RoleInput{
			"role":   {Person: w.nora.ID, Role: "king", Reason: "x"},
			"reason": {Person: w.nora.ID, Role: "viewer"},
			"until":  {Person: w.nora.ID, Role: "viewer", Reason: "x", Until: &past},
			"limit":  {Person: w.nora.ID, Role: "viewer", Reason: "x", Limit: &limit},
		} {
			_, err := people.Grant(w.admin, w.s, bad)
			w.code(path, err, errs.Validation, path)
		}
		_, err = people.Grant(w.admin, w.s, people.RoleInput{Person: "per_X", Role: "viewer", Reason: "x"})
		w.code("nobody", err, errs.CodeNotFound, "")
		if after := w.rows(); after != before {
			t.Errorf("the refused left something: %s, then %s", before, after)
		}
		g, err := people.Grant(w.admin, w.s, in)
		if err != nil || people.Pending(g) || g.ArchivedAt != nil || g.Edges.Person.Name != "Nora" {
			t.Fatal(g, err)
		}
		if last := w.s.LastChange(testkit.System(), g.ID); last == nil || last.Reason != "new job" || last.ActorID != string(w.ada.ID) {
			t.Errorf("the audit says %+v", last)
		}
		r, err := people.RightsOf(w.mine, w.s, w.nora.ID)
		if err != nil || len(r.Grants) != 1 {
			t.Errorf("Nora sees %+v, %v", r, err)
		}
		w.code("without a reason", people.Revoke(w.admin, w.s, g.ID, ""), errs.Validation, "reason")
		w.code("by a stranger", people.Revoke(w.anyone, w.s, g.ID, "x"), errs.CodeNotFound, "")
		w.code("by herself", people.Revoke(as(w.nora.ID, "app-admin"), w.s, g.ID, "x"), errs.CodeForbidden, "")
		if err := people.Revoke(w.admin, w.s, g.ID, "left"); err != nil {
			t.Fatal(err)
		}
		w.code("twice", people.Revoke(w.admin, w.s, g.ID, "x"), errs.State, "")
		if r, _ := people.RightsOf(w.aud, w.s, w.nora.ID); len(r.Grants) > 0 {
			t.Errorf("it still counts: %+v", r.Grants)
		}
	})
}

// SD-11: a role that decides about money takes two administrators, and none of them
// holds one.
func TestMoneyRolesTakeTwo(t *testing.T) {
	each(t, func(w *world) {
		limit := money.Amount(1000_0000)
		g, err := people.Grant(w.admin, w.s, people.RoleInput{Person: w.nora.ID, Role: "expense-authority", Reason: "deputy", Limit: &limit, Currency: "CAD"})
		if err != nil || !people.Pending(g) || g.Custom[move.LimitKey] != "1000.00" {
			t.Fatal(g, err)
		}
		if list, err := people.Waiting(w.second, w.s); err != nil || len(list) != 1 || list[0].Edges.Person.ID != w.nora.ID {
			t.Errorf("waiting: %v, %v", list, err)
		}
		if list, _ := people.Waiting(w.anyone, w.s); len(list) > 0 {
			t.Error("a stranger sees what waits")
		}
		_, err = people.Confirm(w.admin, w.s, g.ID)
		w.code("by the same", err, errs.CodeForbidden, "people.second_admin")
		_, err = people.Confirm(as(w.nora.ID, "app-admin"), w.s, g.ID)
		w.code("by herself", err, errs.CodeForbidden, "people.not_oneself")
		_, err = people.Confirm(w.manager, w.s, g.ID)
		w.code("by a manager", err, errs.CodeNotFound, "")
		g, err = people.Confirm(w.second, w.s, g.ID)
		if err != nil || people.Pending(g) || g.ArchivedAt != nil || g.Custom[move.LimitKey] != "1000.00" {
			t.Fatal(g, err)
		}
		_, err = people.Confirm(w.second, w.s, g.ID)
		w.code("twice", err, errs.State, "people.not_pending")
		_, err = people.Grant(w.admin, w.s, people.RoleInput{Person: w.nora.ID, Role: "app-admin", Reason: "x"})
		w.code("administration for money", err, errs.State, "people.admin_without_money")
		if _, err := people.Grant(w.admin, w.s, people.RoleInput{Person: w.abe.ID, Role: "app-admin", Reason: "x"}); err != nil {
			t.Fatal(err)
		}
		_, err = people.Grant(w.admin, w.s, people.RoleInput{Person: w.abe.ID, Role: "finance-officer", Reason: "x"})
		w.code("money for administration", err, errs.State, "people.admin_without_money")
		if g, err := people.Grant(testkit.System(), w.s, people.RoleInput{Person: w.nora.ID, Role: "finance-officer", Reason: "set up"}); err != nil || people.Pending(g) {
			t.Errorf("the command line: %v, %v", g, err)
		}
	})
}

func TestMemberships(t *testing.T) {
	each(t, func(w *world) {
		in := func(of viewer.Scope, id ident.ID, level viewer.Level) people.MemberInput {
			return people.MemberInput{Person: w.nora.ID, Scope: of, ScopeID: id, Level: level, Reason: "joins"}
		}
		portfolio := in(viewer.ScopePortfolio, w.ours.ID, viewer.LevelContributor)
		before := w.rows()
		for _, c := range []struct {
			what string
			ctx  context.Context
			in   people.MemberInput
			code errs.Code
			key  string
		}{
			{"a viewer", w.anyone, portfolio, errs.CodeNotFound, ""},
			{"an auditor", w.aud, portfolio, errs.CodeForbidden, ""},
			{"elsewhere", w.manager, in(viewer.ScopePortfolio, w.theirs.ID, viewer.LevelViewer), errs.CodeNotFound, ""},
			{"of a vendor by a manager", w.manager, in(viewer.ScopeVendor, w.vendor.ID, viewer.LevelPartner), errs.CodeForbidden, ""},
			{"of a team by a manager", w.manager, in(viewer.ScopeTeam, w.team.ID, viewer.LevelOwner), errs.CodeForbidden, ""},
			{"of all by a manager", w.manager, in(viewer.ScopeAll, "", viewer.LevelManager), errs.CodeForbidden, ""},
			{"of nothing", w.admin, in("MOON", "x", viewer.LevelViewer), errs.Validation, "scope"},
			{"of all and one", w.admin, in(viewer.ScopeAll, w.ours.ID, viewer.LevelViewer), errs.Validation, "scope"},
			{"an owner of a portfolio", w.admin, in(viewer.ScopePortfolio, w.ours.ID, viewer.LevelOwner), errs.Validation, "level"},
			{"a manager of a product", w.admin, in(viewer.ScopeProduct, w.product.ID, viewer.LevelManager), errs.Validation, "level"},
			{"an ordinary member of a vendor", w.admin, in(viewer.ScopeVendor, w.vendor.ID, viewer.LevelManager), errs.Validation, "level"},
			{"for oneself", as(w.nora.ID, "app-admin"), portfolio, errs.CodeForbidden, "people.not_oneself"},
		} {
			_, err := people.AddMember(c.ctx, w.s, c.in)
			w.code(c.what, err, c.code, c.key)
		}
		if after := w.rows(); after != before {
			t.Errorf("the refused left something: %s, then %s", before, after)
		}
		m, err := people.AddMember(w.manager, w.s, portfolio)
		if err != nil || m.Level != "CONTRIBUTOR" || m.GrantedBy != "APP" {
			t.Fatal(m, err)
		}
		again := portfolio
		again.Level = viewer.LevelViewer
		if m, err = people.AddMember(w.manager, w.s, again); err != nil {
			t.Fatal(err)
		}
		if list, err := people.Members(w.manager, w.s, viewer.ScopePortfolio, w.ours.ID); err != nil || len(list) != 1 || list[0].Level != "VIEWER" || list[0].Edges.Person.Name != "Nora" {
			t.Errorf("members: %v, %v", list, err)
		}
		for _, good := range []people.MemberInput{in(viewer.ScopeProduct, w.product.ID, viewer.LevelOwner), in(viewer.ScopeVendor, w.vendor.ID, viewer.LevelPartner),
			in(viewer.ScopeTeam, w.team.ID, viewer.LevelOwner), in(viewer.ScopeAll, "", viewer.LevelViewer), in(viewer.ScopePortfolio, w.theirs.ID, viewer.LevelManager)} {
			if _, err := people.AddMember(w.admin, w.s, good); err != nil {
				t.Errorf("%s by an administrator: %v", good.Scope, err)
			}
		}
		if _, err := people.Members(w.anyone, w.s, viewer.ScopePortfolio, w.ours.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a stranger lists members: %v", err)
		}
		count := func(ctx context.Context) int {
			r, err := people.RightsOf(ctx, w.s, w.nora.ID)
			if errs.CodeOf(err) == errs.CodeNotFound {
				return -1
			}
			return len(r.Memberships)
		}
		if a, b, c, d := count(w.admin), count(w.mine), count(w.manager), count(w.anyone); a != 6 || b != 6 || c != 2 || d != -1 {
			t.Errorf("an administrator sees %d memberships, she %d, the manager %d, a stranger %d", a, b, c, d)
		}
		if r, _ := people.RightsOf(w.manager, w.s, w.nora.ID); r.Grants != nil || r.Provider != nil {
			t.Error("the manager sees roles")
		}
		w.code("a stranger", people.RemoveMember(w.anyone, w.s, m.ID, "x"), errs.CodeNotFound, "")
		w.code("no reason", people.RemoveMember(w.manager, w.s, m.ID, ""), errs.Validation, "reason")
		if err := people.RemoveMember(w.manager, w.s, m.ID, "leaves"); err != nil {
			t.Error(err)
		}
		w.code("twice", people.RemoveMember(w.manager, w.s, m.ID, "x"), errs.CodeNotFound, "")
		var idp *ent.Membership
		if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			idp = c.Membership.Create().SetPersonID(w.nora.ID).SetScope("PORTFOLIO").SetScopeID(w.ours.ID).SetLevel("VIEWER").SetGrantedBy("IDP").SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		w.code("the provider's", people.RemoveMember(w.admin, w.s, idp.ID, "x"), errs.State, "people.from_provider")
	})
}

// SE-5: sessions and tokens end in the transaction that shuts the person out.
func TestDeactivate(t *testing.T) {
	each(t, func(w *world) {
		var session *ent.Session
		var token *ent.ApiToken
		if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
			now := time.Now().UTC()
			session = c.Session.Create().SetPersonID(w.nora.ID).SetTokenHash("h").SetAuthTime(now).SetLastSeenAt(now).SetExpiresAt(now.Add(time.Hour)).SetIdpCheckedAt(now).SaveX(ctx)
			_, token, err = auth.IssueToken(ctx, c, auth.TokenInput{Person: w.nora.ID, Roles: []string{"viewer"}, AllPortfolios: true})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if list, err := people.Sessions(w.mine, w.s, w.nora.ID); err != nil || len(list) != 1 {
			t.Errorf("her sessions: %v, %v", list, err)
		}
		if list, _ := people.Sessions(w.anyone, w.s, w.nora.ID); len(list) > 0 {
			t.Error("a stranger sees her sessions")
		}
		_, err := people.EndSessions(w.anyone, w.s, w.nora.ID)
		w.code("a stranger ends her sessions", err, errs.CodeForbidden, "")
		before := w.rows()
		w.code("a manager", people.Deactivate(w.manager, w.s, w.nora.ID, 1, "x"), errs.CodeForbidden, "")
		w.code("oneself", people.Deactivate(w.admin, w.s, w.ada.ID, 1, "x"), errs.CodeForbidden, "people.not_oneself")
		w.code("no reason", people.Deactivate(w.admin, w.s, w.nora.ID, 1, ""), errs.Validation, "reason")
		w.code("stale", people.Deactivate(w.admin, w.s, w.nora.ID, 3, "x"), errs.Conflict, "")
		w.code("reactivating the active", people.Reactivate(w.admin, w.s, w.nora.ID, 1, "x"), errs.State, "")
		if w.rows() != before {
			t.Error("the refused left something")
		}
		if err := people.Deactivate(w.admin, w.s, w.nora.ID, 1, "left the ministry"); err != nil {
			t.Fatal(err)
		}
		sys := testkit.System()
		p, x, k := w.s.Client.Person.GetX(sys, w.nora.ID), w.s.Client.Session.GetX(sys, session.ID), w.s.Client.ApiToken.GetX(sys, token.ID)
		if p.Active || x.EndedAt == nil || k.RevokedAt == nil {
			t.Errorf("active %v, session ended %v, token revoked %v", p.Active, x.EndedAt, k.RevokedAt)
		}
		sets := map[string]bool{}
		for _, ev := range w.s.Client.ChangeEvent.Query().AllX(sys) {
			if ev.Reason == "left the ministry" {
				sets[ev.ChangeSet] = true
			}
		}
		if len(sets) != 1 {
			t.Errorf("%d change sets", len(sets))
		}
		w.code("twice", people.Deactivate(w.admin, w.s, w.nora.ID, p.Version, "x"), errs.State, "")
		if err := people.Reactivate(w.admin, w.s, w.nora.ID, p.Version, "came back"); err != nil {
			t.Error(err)
		}
		if x := w.s.Client.Session.GetX(sys, session.ID); x.EndedAt == nil {
			t.Error("the session lives again")
		}
	})
}

// TK-1 to TK-3 as far as they are decided here.
func TestTokens(t *testing.T) {
	each(t, func(w *world) {
		nora := as(w.nora.ID, "portfolio-manager", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelManager})
		in := auth.TokenInput{Name: "script", Person: w.nora.ID, Roles: []string{"portfolio-manager"}, Portfolios: []ident.ID{w.ours.ID}, Days: 30}
		try := func(what string, ctx context.Context, change func(*auth.TokenInput), code errs.Code) {
			t.Helper()
			bad := in
			change(&bad)
			before := w.rows()
			secret, _, err := people.CreateToken(ctx, w.s, bad)
			if w.code(what, err, code, ""); secret != "" || before != w.rows() {
				t.Errorf("%s left something", what)
			}
		}
		try("a role not held", nora, func(in *auth.TokenInput) { in.Roles = []string{"finance-officer"} }, errs.Validation)
		try("a hidden portfolio", nora, func(in *auth.TokenInput) { in.Portfolios = []ident.ID{w.theirs.ID} }, errs.CodeNotFound)
		try("too long", nora, func(in *auth.TokenInput) { in.Days = 91 }, errs.Validation)
		try("somebody else's", nora, func(in *auth.TokenInput) { in.Person = w.ada.ID }, errs.CodeForbidden)
		v := *viewer.From(nora)
		v.TokenID = "tok_1"
		try("by a token", viewer.With(context.Background(), &v), func(*auth.TokenInput) {}, errs.CodeForbidden)
		secret, tok, err := people.CreateToken(nora, w.s, in)
		if err != nil || secret == "" || tok.TokenHash == secret {
			t.Fatal(tok, err)
		}
		_, _, err = people.CreateServiceToken(nora, w.s, "billing", auth.TokenInput{Roles: []string{"contributor"}, AllPortfolios: true})
		w.code("a service's by a manager", err, errs.CodeForbidden, "")
		_, bot, err := people.CreateServiceToken(w.admin, w.s, "billing", auth.TokenInput{Roles: []string{"contributor"}, AllPortfolios: true})
		if err != nil {
			t.Fatal(err)
		}
		list := func(ctx context.Context, owner ident.ID) (ids []ident.ID) {
			found, err := people.Tokens(ctx, w.s, owner)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range found {
				ids = append(ids, x.ID)
			}
			slices.Sort(ids)
			return ids
		}
		both := []ident.ID{tok.ID, bot.ID}
		slices.Sort(both)
		for what, c := range map[string]struct {
			ctx   context.Context
			owner ident.ID
			want  []ident.ID
		}{
			"hers": {nora, "", []ident.ID{tok.ID}}, "an administrator's": {w.admin, "", both}, "an auditor's": {w.aud, "", both},
			"a stranger's": {w.anyone, w.nora.ID, nil}, "the service's": {w.admin, *bot.IntegrationID, []ident.ID{bot.ID}}, "not hers": {nora, *bot.IntegrationID, nil},
		} {
			if got := list(c.ctx, c.owner); !slices.Equal(got, c.want) {
				t.Errorf("%s list is %v, not %v", what, got, c.want)
			}
		}
		w.code("a stranger revokes", people.RevokeToken(w.anyone, w.s, tok.ID), errs.CodeNotFound, "")
		w.code("an auditor revokes", people.RevokeToken(w.aud, w.s, tok.ID), errs.CodeNotFound, "")
		if err := people.RevokeToken(nora, w.s, tok.ID); err != nil {
			t.Error(err)
		}
		if err := people.RevokeToken(w.admin, w.s, bot.ID); err != nil {
			t.Error(err)
		}
		if x := w.s.Client.ApiToken.GetX(testkit.System(), tok.ID); x.RevokedAt == nil {
			t.Error("it is not revoked")
		}
	})
}
