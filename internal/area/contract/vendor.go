package contract

import (
	"context"
	"fmt"
	"strings"

	"steward/ent"
)

// NormalName is the key under which spellings of a vendor's name are one name: lower
// case, one space between words, none around. Vendors are matched by it, never merged.
func NormalName(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// normalised keeps the key of a vendor's name in step with the name.
func normalised(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		vm, ok := m.(*ent.VendorMutation)
		if !ok {
			return nil, fmt.Errorf("contract: %T is not of a vendor", m)
		}
		if name, ok := vm.Name(); ok {
			vm.SetNameNorm(NormalName(name))
		}
		return next.Mutate(ctx, m)
	})
}
