package auth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// claims are the parts of a token that Steward reads, whatever its kind.
type claims struct {
	Type     string `json:"typ"`
	Party    string `json:"azp"`
	Session  string `json:"sid"`
	AuthTime int64  `json:"auth_time"`
	Name     string `json:"name"`
	Username string `json:"preferred_username"`
	Email    string `json:"email"`

	all map[string]any
}

// UnmarshalJSON reads the known claims and keeps all of them, for the
// configured paths of roles and groups.
func (c *claims) UnmarshalJSON(b []byte) error {
	type known claims
	if err := json.Unmarshal(b, (*known)(c)); err != nil {
		return err
	}
	return json.Unmarshal(b, &c.all)
}

// displayName is what people are shown by: the full name, else the user name, else the e-mail.
func (c *claims) displayName() string { return cmp.Or(c.Name, c.Username, c.Email) }

// list returns the strings at a claim path, such as "realm_access.roles",
// "resource_access.my.client.roles" or "groups". Names may contain dots. A
// missing claim is an empty list; anything but a list of strings is an error,
// because guessing at rights is worse than having none.
func (c *claims) list(path string) ([]string, error) {
	v, ok := at(c.all, path)
	if !ok || v == nil {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("claim %s is not a list", path)
	}
	out := make([]string, 0, len(items))
	for _, x := range items {
		s, ok := x.(string)
		if !ok {
			return nil, fmt.Errorf("claim %s holds something that is not a text", path)
		}
		out = append(out, s)
	}
	return out, nil
}

func at(m map[string]any, path string) (any, bool) {
	if v, ok := m[path]; ok {
		return v, true
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if inner, ok := m[path[:i]].(map[string]any); ok {
			if v, ok := at(inner, path[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// kind is what a signed token is for. A token of one kind is never taken for another.
type kind string

const (
	kindID     kind = "ID token"
	kindAccess kind = "access token"
	kindLogout kind = "logout token"
)

// kindOf tells the kind of a token whose signature has been checked, by its
// header type and, in Keycloak's way, the typ claim; the two must not disagree.
//
//	kind     header                       typ claim
//	ID       JWT or none                  ID, or none
//	access   at+jwt, JWT or none          Bearer, or none with at+jwt
//	logout   logout+jwt, or JWT or none   Logout, or none with logout+jwt
func kindOf(raw string) (kind, error) {
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return "", errors.New("not a signed token")
	}
	var body struct {
		Type string `json:"typ"`
	}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &body); err != nil {
		return "", errors.New("the token's content is not JSON")
	}
	header, _ := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType].(string)
	header = strings.TrimPrefix(strings.ToLower(header), "application/")
	plain := header == "" || header == "jwt"
	switch {
	case plain && (body.Type == "" || body.Type == "ID"):
		return kindID, nil
	case (header == "at+jwt" || plain) && body.Type == "Bearer", header == "at+jwt" && body.Type == "":
		return kindAccess, nil
	case (header == "logout+jwt" || plain) && body.Type == "Logout", header == "logout+jwt" && body.Type == "":
		return kindLogout, nil
	}
	return "", fmt.Errorf("a token of header type %.20q and type %.20q", header, body.Type)
}
