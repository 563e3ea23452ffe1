package access_test

import (
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/flow"
	"steward/internal/rules/viewer"
)

var machines = map[string]string{
	"budget_plan": "BudgetPlan", "procurement": "Procurement", "contract": "Contract",
	"objective": "Objective", "initiative": "Initiative", "product_stage": "Product",
}

// TestMovesFitTheMatrix: whoever a move names is a role, and has more than Read
// on the rows it moves.
func TestMovesFitTheMatrix(t *testing.T) {
	for _, m := range flow.All() {
		entity, ok := machines[m.Name]
		if !ok {
			t.Errorf("machine %s belongs to no entity of this test", m.Name)
			continue
		}
		for _, mv := range m.Moves {
			if len(mv.Roles) == 0 {
				t.Errorf("%s: nobody may %s", m.Name, mv.Verb)
			}
			for _, name := range mv.Roles {
				role, ok := access.ParseRole(name)
				if !ok {
					t.Errorf("%s, %s: %q is no role", m.Name, mv.Verb, name)
				} else if r := access.ForMove(full(role), entity, []string{name}); r.Empty() {
					t.Errorf("%s may %s a %s, but the matrix gives it nothing there", role, mv.Verb, entity)
				}
			}
		}
	}
}

func TestForMove(t *testing.T) {
	manager, owner := string(access.RolePortfolioManager), string(access.RoleProductOwner)
	// Manager of one portfolio, owner of a product in another.
	both := person([]access.Role{access.RolePortfolioManager, access.RoleProductOwner}, portfolio(viewer.LevelManager), product(viewer.LevelContributor))
	if s := spell(access.ForMove(both, "BudgetPlan", []string{manager})); s != "P" {
		t.Errorf("as manager: %s", s)
	}
	mixed := person([]access.Role{access.RoleFinanceOfficer, access.RoleProductOwner}, product(viewer.LevelOwner))
	if s := spell(access.ForMove(mixed, "BudgetPlan", []string{owner})); s != "T" {
		t.Errorf("an officer's reach leaked into the owner's move: %s", s)
	}
	if r := access.ForMove(mixed, "BudgetPlan", []string{manager}); !r.Empty() {
		t.Errorf("a move of another role: %+v", r)
	}
	if r := access.ForMove(as(access.RolePortfolioManager, portfolio(viewer.LevelContributor)), "BudgetPlan", []string{manager}); !r.Empty() {
		t.Errorf("a contributor submits: %+v", r)
	}
	if r := access.ForMove(as(access.RolePortfolioManager, portfolio(viewer.LevelContributor)), "Product", []string{manager}); spell(r) != "P" {
		t.Errorf("a role that only writes moves by writing: %+v", r)
	}
	if r := access.ForMove(full(access.RoleExecutive), "BudgetPlan", []string{"executive"}); !r.Empty() {
		t.Errorf("a reader moves: %+v", r)
	}
	bot := as(access.RoleFinanceOfficer, all(viewer.LevelManager))
	bot.Kind = viewer.Integration
	if r := access.ForMove(bot, "BudgetPlan", []string{string(access.RoleFinanceOfficer)}); !r.Empty() {
		t.Errorf("an integration approves: %+v", r)
	}
	if !access.ForMove(viewer.NewSystem(viewer.ViaJob, ""), "BudgetPlan", []string{manager}).All {
		t.Error("the system moves nothing")
	}
	if !access.ForMove(nil, "BudgetPlan", []string{manager}).Empty() || !access.ForMove(both, "Secret", []string{manager}).Empty() {
		t.Error("nobody, or an unknown entity, moves something")
	}
}
