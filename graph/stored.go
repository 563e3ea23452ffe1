package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/ent"
	"steward/ent/storeddocument"
	"steward/graph/model"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// hashPrefix stands before the hash in a documentId, as the appendix on persisted
// documents of GraphQL over HTTP spells it.
const hashPrefix = "sha256:"

// usedEvery is how often it is noted that a stored document is still in use.
const usedEvery = 24 * time.Hour

// stored are the documents that can be sent by their hash. A text belongs to its
// hash for ever, so what has been read once is kept.
type stored struct {
	store  *store.Store
	schema *ast.Schema
	limits Document
	texts  *lru.Cache[string, document]
}

// document is one of them: its text, and the name it was given.
type document struct{ text, name string }

func newStored(s *store.Store, schema *ast.Schema, l Limits) *stored {
	c, _ := lru.New[string, document](l.Cache) // fails for a size below one only
	return &stored{store: s, schema: schema, limits: l.Document, texts: c}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// find returns the document of a hash. The error is Validation for one that is not
// stored.
func (d *stored) find(ctx context.Context, hash string) (document, error) {
	if x, ok := d.texts.Get(hash); ok {
		return x, nil
	}
	ctx = scope.Elevate(ctx)
	x, err := d.store.Client.StoredDocument.Query().Where(storeddocument.Hash(hash)).Only(ctx)
	if absent(err) {
		return document{}, errs.New(errs.Validation, "graph.not_stored")
	}
	if err != nil {
		return document{}, store.Known(err)
	}
	if now := time.Now().UTC(); x.LastUsedAt == nil || now.Sub(*x.LastUsedAt) > usedEvery {
		if err := d.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			return c.StoredDocument.UpdateOneID(x.ID).SetLastUsedAt(now.Truncate(time.Microsecond)).Exec(ctx)
		}); err != nil {
			return document{}, err
		}
	}
	known := document{x.Text, unnamed}
	if x.Name != "" {
		known.name = x.Name
	}
	d.texts.Add(hash, known)
	return known, nil
}

// unnamed is what stored documents without a name are counted as.
const unnamed = "unnamed"

// keep stores a document that could run here, for integrations and administrators.
func (d *stored) keep(ctx context.Context, text string, name *string) (*model.StoredDocument, error) {
	v := viewer.From(ctx)
	if v.Kind != viewer.Integration && !access.May(v, "Integration", access.Manage) {
		return nil, errs.Forbidden()
	}
	if err := d.limits.check(text); err != nil {
		return nil, err
	}
	if _, err := gqlparser.LoadQueryWithRules(d.schema, text, unhelpful()); len(err) > 0 {
		return nil, errs.New(errs.Validation, "graph.document", "detail", err[0].Message)
	}
	hash, own := hashOf(text), scope.Elevate(ctx)
	if err := d.store.Alone(ctx, "document "+hash); err != nil {
		return nil, err
	}
	c := d.store.ClientOf(ctx)
	x, err := c.StoredDocument.Query().Where(storeddocument.Hash(hash)).Only(own)
	if absent(err) {
		w := c.StoredDocument.Create().SetHash(hash).SetText(text).SetNillableName(name).SetCreatedBy(v.ID.String())
		if v.Kind == viewer.Integration {
			w.SetIntegrationID(v.ID)
		}
		x, err = w.Save(own)
	}
	if err != nil {
		return nil, store.Known(err)
	}
	return &model.StoredDocument{ID: x.ID, DocumentID: hashPrefix + x.Hash, Name: x.Name, Text: x.Text}, nil
}

// request is the body of a request: the text of a document, or which stored one.
type request struct {
	graphql.RawParams
	DocumentID string `json:"documentId"`
}

// hash returns which stored document a request names, "" for none: as documentId, or
// as clients of Apollo do.
func (q *request) hash() (string, error) {
	if q.DocumentID != "" {
		hash, ok := strings.CutPrefix(q.DocumentID, hashPrefix)
		if !ok {
			return "", errs.Invalid("documentId", "graph.not_a_hash")
		}
		return strings.ToLower(hash), nil
	}
	p, _ := q.Extensions["persistedQuery"].(map[string]any)
	hash, _ := p["sha256Hash"].(string)
	return strings.ToLower(hash), nil
}

// document puts the text of the stored document into a request that names one, and
// refuses a text that is not the named one's. Where only stored documents may run
// (see Config), a token's text must be one of them.
func (d *door) document(ctx context.Context, q *request) error {
	hash, err := q.hash()
	if err != nil {
		return err
	}
	switch {
	case q.Query != "" && hash != "" && hashOf(q.Query) != hash:
		return errs.Invalid("extensions.persistedQuery", "graph.another_hash")
	case q.Query == "" && hash == "":
		return errs.New(errs.Validation, "graph.no_query")
	case q.Query == "":
		x, err := d.stored.find(ctx, hash)
		q.Query = x.text
		callOf(ctx).document = x.name
		return err
	case d.storedOnly && access.Bounded(viewer.From(ctx)):
		if _, err := d.stored.find(ctx, hashOf(q.Query)); err != nil {
			return errs.New(errs.CodeForbidden, "graph.stored_only")
		}
	}
	return nil
}

// body writes the request as gqlgen reads it.
func (q *request) body() ([]byte, error) { return json.Marshal(q.RawParams) }
