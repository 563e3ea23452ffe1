package auth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
)

// Who asks is looked up anew at every request, so that what is taken away is gone with the next one.
// That is most of what a small request costs, so it is one statement each, written by hand.

// standing is what the database says of a person at this moment.
type standing struct {
	name, zone, lang string
	provided         []string // roles that the identity provider names
	granted          []string // roles that Steward itself has given
	memberships      []*ent.Membership
}

// Ids tell the order in which things were granted.
const standingSQL = `SELECT 'PERSON' AS kind, id, name AS a, time_zone AS b, coalesce(language, '') AS c FROM persons WHERE id = $1 AND active AND archived_at IS NULL
	UNION ALL SELECT 'IDENTITY', id, coalesce(CAST(roles AS text), ''), '', '' FROM person_identities WHERE person_id = $1 AND ($2 = '' OR issuer = $2)
	UNION ALL SELECT 'GRANT', id, role, '', '' FROM role_grants WHERE person_id = $1 AND archived_at IS NULL AND (until IS NULL OR until > $3)
	UNION ALL SELECT 'MEMBERSHIP', id, scope, scope_id, level FROM memberships WHERE person_id = $1 AND archived_at IS NULL AND (until IS NULL OR until > $3)
	ORDER BY id`

// standingOf returns the standing of a person, with the roles that the issuer names, any where it is
// empty. The error is errNobody for somebody who is not active.
func standingOf(ctx context.Context, s *store.Store, id ident.ID, issuer string, now time.Time) (*standing, error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, standingSQL, id.String(), issuer, now)
	if err != nil {
		return nil, store.Known(err)
	}
	defer rows.Close()
	var p standing
	active := false
	for rows.Next() {
		var kind, id, a, b, c string
		if err := rows.Scan(&kind, &id, &a, &b, &c); err != nil {
			return nil, err
		}
		switch kind {
		case "PERSON":
			active, p.name, p.zone, p.lang = true, a, b, c
		case "IDENTITY":
			roles, err := stringsIn(a)
			if err != nil {
				return nil, err
			}
			p.provided = append(p.provided, roles...)
		case "GRANT":
			if _, ok := access.ParseRole(a); ok {
				p.granted = append(p.granted, a)
			}
		case "MEMBERSHIP":
			p.memberships = append(p.memberships, &ent.Membership{ID: ident.ID(id), Scope: membership.Scope(a), ScopeID: ident.ID(b), Level: membership.Level(c)})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, store.Known(err)
	}
	if !active {
		return nil, errNobody
	}
	return &p, nil
}

const tokenSQL = `SELECT t.id, t.person_id, coalesce(CAST(t.roles AS text), ''), coalesce(CAST(t.portfolios AS text), ''), t.all_portfolios, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
	i.id, coalesce(i.name, ''), coalesce(i.active, false), i.archived_at, i.expires_at, coalesce(CAST(i.roles AS text), ''), coalesce(CAST(i.portfolios AS text), '')
	FROM api_tokens t LEFT JOIN integrations i ON i.id = t.integration_id WHERE t.token_hash = $1`

// tokenOf returns the API token with the hash and the integration it belongs to, if any, as far as it
// takes to know whom the token acts for; nil without an error when there is none.
func tokenOf(ctx context.Context, s *store.Store, hash string) (*ent.ApiToken, error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, tokenSQL, hash)
	if err != nil {
		return nil, store.Known(err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, store.Known(rows.Err())
	}
	var t ent.ApiToken
	var i ent.Integration
	var integration *ident.ID
	var roles, portfolios, iRoles, iPortfolios string
	if err := rows.Scan(&t.ID, &t.PersonID, &roles, &portfolios, &t.AllPortfolios, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt, &t.LastUsedAt,
		&integration, &i.Name, &i.Active, &i.ArchivedAt, &i.ExpiresAt, &iRoles, &iPortfolios); err != nil {
		return nil, err
	}
	for _, list := range []struct {
		text string
		into *[]string
	}{{roles, &t.Roles}, {portfolios, &t.Portfolios}, {iRoles, &i.Roles}, {iPortfolios, &i.Portfolios}} {
		var bad error
		*list.into, bad = stringsIn(list.text)
		err = errors.Join(err, bad)
	}
	if integration != nil {
		i.ID, t.Edges.Integration = *integration, &i
	}
	return &t, err
}

// stringsIn reads a column of strings, which may be empty.
func stringsIn(text string) (list []string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}
