package turnrest_test

import (
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"wimz.dev/live/fakecloudflare/turnrest"
)

// Password has to be what pion/turn, and so coturn, makes of the same secret.
func TestPasswordIsTheOneOfOtherImplementations(t *testing.T) {
	username, want, err := turn.GenerateLongTermTURNRESTCredentials("north-star", "robot", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got := turnrest.Password("north-star", username); got != want {
		t.Errorf("Password = %q, want %q", got, want)
	}
}

func TestUsernameRoundsUp(t *testing.T) {
	tests := map[string]struct {
		expiry time.Time
		want   string
	}{
		"whole second": {time.Unix(1_700_000_000, 0), "1700000000:a"},
		"fraction":     {time.Unix(1_700_000_000, 1), "1700000001:a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := turnrest.Username(tt.expiry, "a"); got != tt.want {
				t.Errorf("Username = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	tests := map[string]struct {
		username string
		want     int64
		wantErr  bool
	}{
		"well formed":     {"1700000000:abc", 1_700_000_000, false},
		"id with a colon": {"1700000000:a:b", 1_700_000_000, false},
		"no id":           {"1700000000", 0, true},
		"no time":         {"robot:1700000000", 0, true},
		"empty":           {"", 0, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := turnrest.Expiry(tt.username)
			if (err != nil) != tt.wantErr {
				t.Fatalf("err = %v, want error: %v", err, tt.wantErr)
			}
			if err == nil && got.Unix() != tt.want {
				t.Errorf("Expiry = %d, want %d", got.Unix(), tt.want)
			}
		})
	}
}

func FuzzExpiry(f *testing.F) {
	for _, seed := range []string{"", ":", "1700000000:a", "-1:x", "99999999999999999999:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, username string) {
		expiry, err := turnrest.Expiry(username)
		if err != nil {
			return
		}
		if again, err := turnrest.Expiry(turnrest.Username(expiry, "id")); err != nil || !again.Equal(expiry) {
			t.Errorf("Expiry(%q) = %v does not survive the way back: %v, %v", username, expiry, again, err)
		}
	})
}
