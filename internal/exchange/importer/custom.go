package importer

import "encoding/json"

// Patch is what a row says about custom fields: keys that are given replace, nil takes
// a value away, the others stay. It is the value of the column custom.
type Patch map[string]any

// over returns what the column holds once the patch is laid over it.
func (p Patch) over(old any) JSON {
	now := map[string]any{}
	if have, ok := old.(JSON); ok {
		_ = json.Unmarshal([]byte(have), &now) // sortedJSON has written it
	}
	for code, v := range p {
		if now[code] = v; v == nil {
			delete(now, code)
		}
	}
	if len(now) == 0 {
		return ""
	}
	b, err := json.Marshal(now)
	if err != nil {
		panic(err) // texts and truths always have a JSON form
	}
	return JSON(b)
}

// SameHeader reports whether two spellings of a header mean the same column; no
// spelling without a letter or digit means any.
func SameHeader(a, b string) bool { return fold(a) == fold(b) || fold(a) == "" }
