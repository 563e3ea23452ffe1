package formula

import (
	"testing"

	"pgregory.net/rapid"
)

func TestGuard(t *testing.T) {
	for in, out := range map[string]string{
		"": "", "plain": "plain", "O'Brien": "O'Brien", "'quoted": "'quoted", "12": "12",
		"=1+1": "'=1+1", "+1": "'+1", "-x": "'-x", "@a": "'@a", "\tx": "'\tx", "＝1": "'＝1", "'=1": "''=1",
	} {
		if got := Guard(in); got != out {
			t.Errorf("Guard(%q) = %q, not %q", in, got, out)
		}
	}
}

func TestUnguardGivesBackWhatWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("'=+-@\ta＝")), 0, 8, -1)).Draw(t, "text")
		g := Guard(in)
		if got := Unguard(g); got != in {
			t.Fatalf("%q came back as %q", in, got)
		}
		if starts(g) {
			t.Fatalf("%q is a formula", g)
		}
	})
}
