package upload

import (
	"slices"

	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
)

// Columns returns what a format looks for under a plan.
func Columns(f importer.Format, p Plan) ([]importer.Column, error) {
	parser, err := f.Open(importer.Options{Set: p.Settings, Portfolio: p.Portfolio})
	if err != nil {
		return nil, err
	}
	return parser.Columns(), nil
}

// Guess returns how a file is most likely to be read: as the format all of whose
// columns its header names, else as the csv of the entity that fits best. An entity that
// was asked for is kept. Where nothing fits the format is csv without an entity.
func Guess(formats importer.Formats, look *importer.Look, entity string) Plan {
	csv := Plan{Format: tabular.Format{}.Name(), Settings: map[string]string{}}
	if entity != "" && slices.Contains(tabular.Entities(), entity) {
		csv.Settings["entity"] = entity
		return csv
	}
	for _, f := range formats {
		p := Plan{Format: f.Name()}
		columns, err := Columns(f, p)
		if err != nil { // it wants to be told something first, as csv does
			continue
		}
		if named, missing := look.Fit(columns); named > 0 && len(missing) == 0 {
			return p
		}
	}
	best, most, tie := "", 1, false
	for _, name := range tabular.Entities() {
		columns, err := Columns(tabular.Format{}, Plan{Settings: map[string]string{"entity": name}})
		if err != nil {
			continue
		}
		named, missing := look.Fit(columns)
		if len(missing) > 0 || named < most {
			continue
		}
		best, most, tie = name, named, named == most && best != ""
	}
	if best != "" && !tie {
		csv.Settings["entity"] = best
	}
	return csv
}
