package upload

import (
	"context"

	"steward/internal/platform/i18n"
	"steward/views/ui"
)

// stepList are the steps of an import with the one that is current.
func stepList(ctx context.Context, now int) []ui.Step {
	var out []ui.Step
	for i, name := range []string{"file", "columns", "check", "import"} {
		state := ui.StepNext
		switch {
		case i < now:
			state = ui.StepDone
		case i == now:
			state = ui.StepNow
		}
		out = append(out, ui.Step{Label: i18n.C(ctx, "upload.step."+name), State: state})
	}
	return out
}

func pickKey(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// applyKind makes the button that leaves rows out the lighter one.
func applyKind(skip bool) ui.Kind {
	if skip {
		return ui.Plain
	}
	return ui.Primary
}
