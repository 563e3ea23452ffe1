package store

import "context"

// Kept returns what an area keeps beside the database under its key, such as a cache
// of rows that hardly ever change, and makes it the first time. It is shared by all
// requests and locks itself.
func Kept[T any](s *Store, key any, make func() *T) *T {
	v, _ := s.kept.LoadOrStore(key, make())
	return v.(*T)
}

// KeptInTx is Kept for the transaction of ctx, with which it ends; nil outside one.
func KeptInTx[T any](ctx context.Context, key any, make func() *T) *T {
	u := unitOf(ctx)
	if u == nil {
		return nil
	}
	v, ok := u.kept[key].(*T)
	if !ok {
		v = make()
		if u.kept == nil {
			u.kept = map[any]any{}
		}
		u.kept[key] = v
	}
	return v
}
