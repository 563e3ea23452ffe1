package app

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/ent/person"
	"steward/ent/portfolio"
	"steward/internal/platform/auth"
	"steward/internal/rules/ident"
)

// createToken prints a new API token, once, and nothing else on stdout.
func (c *command) createToken(ctx context.Context) error {
	asked := c.Token.Create
	s, err := c.database(ctx, asked.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	var secret string
	var made *ent.ApiToken
	err = s.Tx(asSystem(ctx), func(ctx context.Context, q *ent.Client) error {
		in := auth.TokenInput{Name: "made at the command line", Roles: asked.Role, Days: asked.Days}
		if asked.Service != "" {
			service, err := auth.Service(ctx, q, asked.Service)
			if err != nil {
				return err
			}
			in.Integration, in.Name = service.ID, service.Name
		} else if in.Person, err = personOf(ctx, q, asked.Person); err != nil {
			return err
		}
		for _, key := range asked.Portfolio {
			if key == auth.AllPortfolios {
				in.AllPortfolios = true
				continue
			}
			id, err := q.Portfolio.Query().Where(portfolio.Key(strings.ToUpper(key))).OnlyID(ctx)
			if ent.IsNotFound(err) {
				return usage{fmt.Errorf("no portfolio has the key %s", key)}
			}
			if err != nil {
				return err
			}
			in.Portfolios = append(in.Portfolios, id)
		}
		secret, made, err = auth.IssueToken(ctx, q, in)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "Token %s of %s, until %s. It is shown this once:\n", made.ID, made.Name, made.ExpiresAt.Format(time.DateOnly))
	_, err = fmt.Fprintln(c.out, secret)
	return err
}

// personOf returns the one active person with the e-mail address.
func personOf(ctx context.Context, c *ent.Client, email string) (ident.ID, error) {
	list, err := c.Person.Query().Where(person.EmailEqualFold(email), person.Active(true), person.ArchivedAtIsNil()).Limit(2).IDs(ctx)
	switch {
	case err != nil:
		return "", err
	case len(list) == 0:
		return "", usage{fmt.Errorf("nobody has the e-mail address %s", email)}
	case len(list) > 1:
		return "", usage{fmt.Errorf("several people have the e-mail address %s", email)}
	}
	return list[0], nil
}

// tokenRow is one token as token list shows it.
type tokenRow struct {
	ID         ident.ID   `json:"id"`
	Owner      string     `json:"owner"`
	Kind       string     `json:"kind"` // person or service
	Hint       string     `json:"hint"` // how the token begins
	Roles      []string   `json:"roles"`
	Portfolios []string   `json:"portfolios"`
	State      string     `json:"state"` // active, expired or revoked
	ExpiresAt  time.Time  `json:"expiresAt"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
}

// listTokens shows all tokens; never their text, which is stored nowhere.
func (c *command) listTokens(ctx context.Context) error {
	s, err := c.database(ctx, c.Token.List.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx = asSystem(ctx)
	list, err := s.Client.ApiToken.Query().WithPerson().WithIntegration().Order(apitoken.ByCreatedAt(), apitoken.ByID()).All(ctx)
	if err != nil {
		return err
	}
	keys := map[ident.ID]string{}
	for _, p := range s.Client.Portfolio.Query().Select(portfolio.FieldID, portfolio.FieldKey).AllX(ctx) {
		keys[p.ID] = p.Key
	}
	rows := make([]tokenRow, len(list))
	for i, t := range list {
		rows[i] = describeToken(t, keys, time.Now())
	}
	if c.Token.List.JSON {
		return c.json(rows)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tOWNER\tBEGINS\tROLES\tPORTFOLIOS\tSTATE\tUNTIL\tLAST USED")
	for _, r := range rows {
		used := "never"
		if r.LastUsedAt != nil {
			used = r.LastUsedAt.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s (%s)\t%s…\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Owner, r.Kind, r.Hint, strings.Join(r.Roles, ","),
			strings.Join(r.Portfolios, ","), r.State, r.ExpiresAt.Format(time.DateOnly), used)
	}
	return w.Flush()
}

func describeToken(t *ent.ApiToken, keys map[ident.ID]string, now time.Time) tokenRow {
	r := tokenRow{ID: t.ID, Owner: t.Name, Kind: "service", Hint: t.Hint, Roles: t.Roles, Portfolios: []string{}, State: "active",
		ExpiresAt: t.ExpiresAt.UTC(), LastUsedAt: t.LastUsedAt}
	if t.Edges.Person != nil {
		r.Owner, r.Kind = t.Edges.Person.Name, "person"
	} else if t.Edges.Integration != nil {
		r.Owner = t.Edges.Integration.Name
	}
	switch {
	case t.RevokedAt != nil:
		r.State = "revoked"
	case !now.Before(t.ExpiresAt):
		r.State = "expired"
	}
	if t.AllPortfolios {
		r.Portfolios = append(r.Portfolios, auth.AllPortfolios)
	}
	for _, id := range t.Portfolios {
		key, ok := keys[ident.ID(id)]
		if !ok {
			key = id
		}
		r.Portfolios = append(r.Portfolios, key)
	}
	return r
}

// revokeToken ends a token.
func (c *command) revokeToken(ctx context.Context) error {
	s, err := c.database(ctx, c.Token.Revoke.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	id := ident.ID(c.Token.Revoke.ID)
	err = s.Tx(asSystem(ctx), func(ctx context.Context, q *ent.Client) error {
		n, err := q.ApiToken.Query().Where(apitoken.ID(id)).Count(ctx)
		if err == nil && n == 0 {
			return fmt.Errorf("no token has the id %s", id)
		}
		if err != nil {
			return err
		}
		return auth.RevokeToken(ctx, q, id)
	})
	if err == nil {
		fmt.Fprintf(c.err, "Token %s has ended.\n", id)
	}
	return err
}
