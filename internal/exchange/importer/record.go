package importer

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/bojanz/currency"

	"steward/internal/rules/civil"
	"steward/internal/rules/money"
)

// Kind is a type of record a format produces. A format declares each of its
// kinds once, as a variable; the pointer is the kind's identity.
type Kind struct {
	// Entity is the ent and GraphQL type name: "Initiative".
	Entity string
	// Match are the columns that find a record among the stored rows. Empty
	// means source and external_id, the usual case.
	Match []string
	// CreateOnly rows are looked up and made when missing but never changed: the
	// file mentions them, it is not their source.
	CreateOnly bool
	// Guarded rows are written one by one through the rules that hold for rows
	// entered by hand, whose verdicts become faults. Others are written set by
	// set: published facts, which stand outside those rules.
	Guarded bool
	// Known rows must exist: one that is not found is a fault.
	Known bool
	// Lookup rows are never staged: references to them name rows that exist, by
	// the first column of Match that fits exactly one.
	Lookup bool
	// OnCreate are columns of a new row that the file says nothing about; later
	// imports leave them as they are.
	OnCreate Values
	// ByName finds a row of another source by its normalised name, when exactly
	// one has it, before a new one is made.
	ByName bool
}

// Values are a record's columns by their names in the database. A value is a
// string, bool, int, int64, money.Amount, civil.Date, civil.Period, Ref, JSON, Patch or
// nil for an empty one. Columns that are not named keep what is stored.
type Values map[string]any

// JSONOf returns v as JSON text, "" for an empty map. Go writes maps with sorted
// keys, so equal maps are equal texts.
func JSONOf(v map[string]string) JSON {
	if len(v) == 0 {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return JSON(b)
}

// IsCurrency reports whether code is an ISO 4217 currency.
func IsCurrency(code string) bool { return currency.IsValid(code) }

// settle replaces the pointers that Row.Money and Row.Date return by what they
// point at, or nil, so that values can be compared.
func (v Values) settle() Values {
	for c, x := range v {
		switch p := x.(type) {
		case *money.Amount:
			if v[c] = nil; p != nil {
				v[c] = *p
			}
		case *civil.Date:
			if v[c] = nil; p != nil {
				v[c] = *p
			}
		}
	}
	return v
}

// Ref stands for the id of another record of the same import.
type Ref struct {
	Kind *Kind
	ID   string
}

// chosen is the portfolio that a person names for a whole import.
var chosen = &Kind{Entity: "Portfolio", Lookup: true, Match: []string{"key"}}

// Chosen is the existing portfolio with the key (Options.Portfolio).
func Chosen(key string) Ref { return Ref{Kind: chosen, ID: key} }

// JSON is the text of a JSON column, with sorted keys so that equal contents are
// equal texts.
type JSON string

// Total is a part of one of the report's sums.
type Total struct {
	Name, Currency string
	Amount         money.Amount
}

// Record is a row to store.
type Record struct {
	Kind *Kind
	ID   string // external id in the format's source; unique within the kind
	File int    // index of the file it was read from
	Line int

	Values Values
	// Links are many-to-many edges by edge name.
	Links map[string][]Ref
	// Tags are those that a record of a guarded kind is to carry, and no others; nil
	// leaves them as they are.
	Tags []Ref
	// Later are references to records of the same kind, set once all of them
	// are stored.
	Later Values

	labels map[string]string // how the file calls a column of the database
	mode   mode
	quiet  bool // a later record of a row, which speaks for it no more
	again  bool // of a row that another part has stored: it brings links only
	totals []Total
}

// Staged is everything a run read and will store, in the order it must be
// stored: a kind comes after the kinds its records refer to.
type Staged struct {
	// Source is the system the external ids belong to.
	Source string
	// Hashes are the SHA-256 sums of the files.
	Hashes []string

	kinds    []*Kind
	records  map[*Kind][]*Record
	index    map[*Kind]map[string]*Record
	ordinals map[string]int

	// Of a file that is too large to be kept only the identities of its rows are: see
	// forget.
	seen map[[16]byte]int32
	// parts says that the file is being stored in parts: see stream.
	parts bool
}

func newStaged(source string, kinds []*Kind) *Staged {
	s := &Staged{Source: source, kinds: kinds, records: map[*Kind][]*Record{},
		index: map[*Kind]map[string]*Record{}, ordinals: map[string]int{}}
	for _, k := range kinds {
		s.index[k] = map[string]*Record{}
	}
	return s
}

// forget drops the staged records and goes on with their identities and lines
// alone, which is all that finding further faults and duplicates takes.
func (s *Staged) forget() {
	s.seen = make(map[[16]byte]int32, s.Len())
	for k, records := range s.records {
		for _, r := range records {
			if r.mode == asRow && !r.quiet {
				s.seen[identity(k, r.ID)] = int32(r.Line)
			}
		}
	}
	s.drop()
}

// drop lets the staged records go.
func (s *Staged) drop() {
	for k := range s.index {
		s.index[k] = map[string]*Record{}
	}
	s.records = map[*Kind][]*Record{}
}

func identity(k *Kind, id string) [16]byte {
	sum := sha256.Sum256([]byte(k.Entity + "\x00" + id))
	return [16]byte(sum[:16])
}

// Records returns the staged records of a kind in file order.
func (s *Staged) Records(k *Kind) []*Record { return s.records[k] }

// Kinds returns the kinds in the order they are stored.
func (s *Staged) Kinds() []*Kind { return s.kinds }

// Len returns how many records are staged.
func (s *Staged) Len() (n int) {
	for _, r := range s.records {
		n += len(r)
	}
	return n
}

func (s *Staged) add(r *Record) {
	at := s.index[r.Kind]
	if at == nil {
		panic("importer: the format does not list the kind " + r.Kind.Entity)
	}
	at[r.ID] = r
	s.records[r.Kind] = append(s.records[r.Kind], r)
}
