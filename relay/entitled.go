package relay

import (
	"context"
	"errors"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// entitled knows which robots users may watch: none with an account that is
// disabled. A ticket says whose a session is, but not that they still may.
type entitled struct{ store.Store }

// DevicesOf implements session.Owners.
func (e entitled) DevicesOf(ctx context.Context, id store.UserID) ([]wire.DeviceID, error) {
	user, err := e.UserByID(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil || user.Disabled:
		return nil, err
	}
	return e.Store.DevicesOf(ctx, id)
}
