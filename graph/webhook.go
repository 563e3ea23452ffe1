package graph

import (
	"context"

	"steward/ent"
	entwebhook "steward/ent/webhook"
	"steward/graph/model"
	"steward/internal/area/webhook"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// hooks returns the webhooks of the installation. The error is NotFound where there
// are none.
func (r *Resolver) hooks() (*webhook.Service, error) {
	if r.webhooks == nil {
		return nil, errs.NotFound()
	}
	return r.webhooks, nil
}

// changeHook runs a verb on a webhook and returns it as it is then.
func (r *Resolver) changeHook(ctx context.Context, id ident.ID, do func(*webhook.Service, context.Context, ident.ID) error) (*ent.Webhook, error) {
	s, err := r.hooks()
	if err != nil {
		return nil, err
	}
	if err := do(s, ctx, id); err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

func (r *Resolver) addHook(ctx context.Context, in model.AddWebhookInput) (*model.WebhookSecret, error) {
	s, err := r.hooks()
	if err != nil {
		return nil, err
	}
	secret, w, err := s.Create(ctx, webhook.Input{Name: in.Name, URL: in.URL, Types: in.Types, Integration: in.IntegrationID,
		Ed25519: in.Scheme != nil && *in.Scheme == entwebhook.SchemeED25519})
	if err != nil {
		return nil, err
	}
	return &model.WebhookSecret{Webhook: w, Secret: secret}, nil
}

func (r *Resolver) rotateHook(ctx context.Context, id ident.ID) (*model.WebhookSecret, error) {
	s, err := r.hooks()
	if err != nil {
		return nil, err
	}
	secret, err := s.Rotate(ctx, id)
	if err != nil {
		return nil, err
	}
	w, err := s.Get(ctx, id)
	return &model.WebhookSecret{Webhook: w, Secret: secret}, err
}

// replayHook sends all messages of a webhook since a time again.
func (r *Resolver) replayHook(ctx context.Context, in model.ReplayWebhookInput) (int, error) {
	s, err := r.hooks()
	if err != nil {
		return 0, err
	}
	return s.ReplaySince(ctx, in.ID, in.Since)
}

// deliveries returns a page of the messages of a webhook, newest first.
func (r *Resolver) deliveries(ctx context.Context, id ident.ID, first *int, after *ident.ID) ([]*ent.WebhookDelivery, error) {
	s, err := r.hooks()
	if err != nil {
		return nil, err
	}
	from := ident.ID("")
	if after != nil {
		from = *after
	}
	return s.Log(ctx, id, from, *first)
}
