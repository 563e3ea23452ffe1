// Package testkit is what tests share: throwaway databases of both kinds, the real data of the
// scenarios, and checks of HTML by meaning (selector and text) instead of by markup.
//
// Only tests import it; a test in internal/lint sees to that.
package testkit
