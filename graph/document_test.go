package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"steward/internal/rules/errs"
)

// doubling uses each fragment twice in the one before: 2 to the power of n fields.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{a{...f0}} ")
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on A {a{...f%d} x:a{...f%d} b} ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on A {b}", n)
	return b.String()
}

func many(n int, text string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, text, i)
	}
	return b.String()
}

// TestDocumentLimits is GQ-2: hostile documents are refused before anything
// walks them, in time that does not depend on what they would expand to.
func TestDocumentLimits(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       errs.Code
	}{
		{"one field 8,000 times", "{a{" + strings.Repeat("b ", 8000) + "}}", errs.Limit},
		{"one field 100,000 times", "{a{" + strings.Repeat("b ", 100_000) + "}}", errs.Limit},
		{"one field 21 times", "{a{" + strings.Repeat("b ", 21) + "}}", errs.Limit},
		{"one field 20 times", "{a{" + strings.Repeat("b ", 20) + "}}", ""},
		{"fragments that double 22 times", doubling(22), errs.Limit},
		{"fragments that double 28 times", doubling(28), errs.Limit},
		{"aliases", "{" + many(100, "x%d:a{b} ") + "}", errs.Limit},
		{"151 fields in a set", "{" + many(151, "f%d ") + "}", errs.Limit},
		{"150 fields in a set", "{" + many(150, "f%d ") + "}", ""},
		{"1,001 fields", "{" + many(13, "a%d{...f}") + "} fragment f on A {" + many(77, "f%d ") + "}", errs.Limit},
		{"17 deep", strings.Repeat("{a", 17) + strings.Repeat("}", 17), errs.Limit},
		{"16 deep", strings.Repeat("{a", 16) + strings.Repeat("}", 16), ""},
		{"directives", "{a{b @x @x @x @x @x}}", errs.Limit},
		{"directives of the operation", "query @x @x @x @x @x {a}", errs.Limit},
		{"31 fragments", "{a}" + many(31, " fragment f%d on A {b}"), errs.Limit},
		{"6 operations", many(6, "query q%d {a} "), errs.Limit},
		{"a cycle", "{...f} fragment f on A {...f}", errs.Validation},
		{"a cycle of two", "{a} fragment f on A {...g} fragment g on A {x{...f}}", errs.Validation},
		{"no document", "{a", errs.Validation},
		{"an ordinary one", "{a{b x:b a{b a{b}}}}", ""},
		{"the standard introspection", introspection, ""},
	} {
		start := time.Now()
		err := DefaultLimits().Document.check(c.text)
		if took := time.Since(start); took > 250*time.Millisecond {
			t.Errorf("%s: %v for %d bytes", c.name, took, len(c.text))
		}
		if errs.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

const introspection = `query IntrospectionQuery{__schema{description queryType{name kind} mutationType{name kind} subscriptionType{name kind}
types{...FullType} directives{name description isRepeatable locations args(includeDeprecated:true){...InputValue}}}}
fragment FullType on __Type{kind name description specifiedByURL
fields(includeDeprecated:true){name description args(includeDeprecated:true){...InputValue} type{...TypeRef} isDeprecated deprecationReason}
inputFields(includeDeprecated:true){...InputValue} interfaces{...TypeRef}
enumValues(includeDeprecated:true){name description isDeprecated deprecationReason} possibleTypes{...TypeRef}}
fragment InputValue on __InputValue{name description type{...TypeRef} defaultValue isDeprecated deprecationReason}
fragment TypeRef on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}}}}}`
