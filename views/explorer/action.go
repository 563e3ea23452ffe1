package explorer

import "github.com/a-h/templ"

// do marks a button with what the script does when it is pressed.
func do(action string) templ.Attributes { return templ.Attributes{"data-do": action} }
