package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// claims are what a token says of itself (CONTRACT §2).
type claims struct {
	jwt.RegisteredClaims

	Email string `json:"email"`
}

// login asks the relay whether it knows whoever asks.
func (v *visit) login(ctx context.Context) Result {
	token, err := v.Login(ctx)
	if err != nil {
		return v.failed(err)
	}
	v.token = token
	v.devices, err = simapp.Devices(ctx, v.RelayURL, token)
	ends, known := readToken(token)
	refused, ok := errors.AsType[*simapp.APIError](err)
	switch {
	case ok && refused.Status == http.StatusUnauthorized:
		return bad("log in again", "the relay refuses the login: %s", whyRefused(ends, known))
	case err != nil:
		return v.failed(err)
	case !known:
		return good("the relay knows the login")
	}
	r := good("the relay knows the login, for another %s", span(time.Until(ends)))
	if time.Until(ends) < time.Hour {
		r.Advice = "log in again before it ends"
	}
	return r
}

// readToken returns when a token ends, if it says so. Nobody checks its signature
// here: the relay does.
func readToken(token string) (ends time.Time, known bool) {
	var c claims
	_, _, err := jwt.NewParser().ParseUnverified(token, &c)
	if err != nil || c.ExpiresAt == nil {
		return time.Time{}, false
	}
	return c.ExpiresAt.Time, true
}

func whyRefused(ends time.Time, known bool) string {
	switch {
	case !known:
		return "it is no token of a login"
	case time.Now().After(ends):
		return "it ended " + span(time.Since(ends)) + " ago"
	default:
		return "it was ended early (logged out, or the password changed), or is another relay's"
	}
}

// robots says which there are.
func (v *visit) robots(context.Context) Result {
	if len(v.devices) == 0 {
		return bad("pair one: robot pair shows a code, simapp pair CODE takes it", "this account has no robot")
	}
	var online, offline []string
	for _, d := range v.devices {
		switch {
		case v.Device != "" && d.DeviceID != v.Device:
		case d.Online:
			online = append(online, string(d.DeviceID))
		default:
			offline = append(offline, string(d.DeviceID))
		}
	}
	switch {
	case len(online)+len(offline) == 0:
		return bad("check the robot's name, and that it is paired with this account", "%s is none of this account's robots", v.Device)
	case len(online) == 0:
		r := v.failed(&simapp.RelayError{Code: wire.CodeDeviceOffline})
		r.Text = strings.Join(offline, ", ") + ": offline"
		return r
	}
	if v.Device == "" {
		v.Device = wire.DeviceID(online[0])
	}
	r := good("%s: online", strings.Join(online, ", "))
	if len(offline) > 0 {
		r.Text += "; " + strings.Join(offline, ", ") + ": offline"
	}
	return r
}

// socket opens what signaling goes over.
func (v *visit) socket(ctx context.Context) Result {
	v.degraded = make(chan struct{}, 1)
	phone, err := simapp.Dial(ctx, simapp.Config{
		RelayURL: v.RelayURL, Token: v.token, Log: v.Log,
		OnMessage: func(m wire.Message) {
			if m.Type == wire.TypeCredentials && m.Degraded != "" {
				select {
				case v.degraded <- struct{}{}:
				default:
				}
			}
		},
	})
	if err != nil {
		r := v.failed(err)
		if r.Advice == "" {
			r.Advice = "a proxy before the relay must pass WebSockets on, at /ws/app (see relay/deploy)"
		}
		return r
	}
	v.phone = phone
	return good("signaling is connected")
}
