// Package lint holds the house rules that a machine can check: who may import whom, and what must not
// stand in a source file. It is tests only; `make lint` and `make test` run it.
package lint
