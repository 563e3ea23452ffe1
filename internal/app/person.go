package app

import (
	"context"
	"fmt"

	"steward/ent/person"
	"steward/internal/area/people"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// exportPerson prints everything that is kept about a person.
func (c *command) exportPerson(ctx context.Context) error {
	s, err := c.database(ctx, c.Person.Export.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx = asSystem(ctx)
	id, err := anybody(ctx, s, c.Person.Export.Email)
	if err != nil {
		return err
	}
	data, err := people.Data(ctx, s, id)
	if err != nil {
		return err
	}
	return c.json(data)
}

// erasePerson erases a person and says how much that was.
func (c *command) erasePerson(ctx context.Context) error {
	s, err := c.database(ctx, c.Person.Erase.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx = asSystem(ctx)
	id, err := anybody(ctx, s, c.Person.Erase.Email)
	if err != nil {
		return err
	}
	done, err := people.Erase(ctx, s, id, c.Person.Erase.Reason)
	if err == nil {
		fmt.Fprintf(c.err, "%s is now %s: %s replaced, %s of the record of changes redacted\n", id, done.Pseudonym, count(done.Values, "value"), count(done.Rows, "row"))
	}
	return err
}

// anybody returns the one person with the e-mail address, active or not.
func anybody(ctx context.Context, s *store.Store, email string) (ident.ID, error) {
	list, err := s.Client.Person.Query().Where(person.EmailEqualFold(email)).Limit(2).IDs(ctx)
	switch {
	case err != nil:
		return "", err
	case len(list) != 1:
		return "", usage{fmt.Errorf("%s with the address %s", count(len(list), "person"), email)}
	}
	return list[0], nil
}
