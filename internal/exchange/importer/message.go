package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"steward/internal/platform/i18n"
)

// Key is the id of a message in internal/platform/i18n.
type Key = string

// Message is a sentence of a report, kept as key and arguments so that a stored
// report reads in each reader's language. As JSON it is the sentence itself.
type Message struct {
	Key  Key
	Args []any // name, value pairs

	lang string
	keep bool // as JSON, key and arguments instead of the sentence
}

// Say makes a message of a key and its name, value pairs.
func Say(key Key, args ...any) Message { return Message{Key: key, Args: args} }

// In returns the sentence in a language.
func (m Message) In(lang string) string {
	if m.Key == "" {
		return ""
	}
	return i18n.T(lang, m.Key, m.Args...)
}

// IsZero reports whether there is nothing to say.
func (m Message) IsZero() bool { return m.Key == "" }

type keptMessage struct {
	Key  Key   `json:"key"`
	Args []any `json:"args,omitempty"`
}

// MarshalJSON writes the sentence in the report's language.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.keep {
		return json.Marshal(keptMessage{m.Key, m.Args})
	}
	return json.Marshal(m.In(m.lang))
}

// UnmarshalJSON reads what a stored report holds: key and arguments.
func (m *Message) UnmarshalJSON(b []byte) error {
	var k keptMessage
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&k); err != nil {
		return fmt.Errorf("importer: message: %w", err)
	}
	for i, a := range k.Args {
		if n, ok := a.(json.Number); ok {
			if whole, err := n.Int64(); err == nil {
				k.Args[i] = whole
			} else {
				k.Args[i] = n.String()
			}
		}
	}
	m.Key, m.Args = k.Key, k.Args
	return nil
}

// valueLimit is how much of a cell a fault shows.
const valueLimit = 100

// shown cuts a cell to valueLimit characters and drops what is no text.
func shown(cell string) string {
	cell = string(bytes.ToValidUTF8([]byte(cut(cell, 4*valueLimit)), []byte("\uFFFD")))
	if utf8.RuneCountInString(cell) <= valueLimit {
		return cell
	}
	return string([]rune(cell)[:valueLimit])
}

// cut returns at most n bytes of s.
func cut(s string, n int) string { return s[:min(n, len(s))] }
