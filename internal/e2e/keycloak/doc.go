// Package keycloak signs in through a real Keycloak that has imported
// deploy/keycloak/steward-realm.json. Its tests have the build tag e2e, so that
// `go test ./...` needs no Keycloak; `make test` starts one and runs them. By hand:
//
//	export STEWARD_BASE_URL=http://localhost:18081 STEWARD_INTERNAL_URL=http://127.0.0.1:18081
//	export STEWARD_TEST_KEYCLOAK=$(scripts/keycloak.sh start)
//	go test -tags e2e ./internal/e2e/keycloak
//
// The two addresses are where the tests serve Steward; the realm's redirect
// addresses are fixed to them when Keycloak imports it.
package keycloak
