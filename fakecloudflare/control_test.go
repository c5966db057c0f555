package fakecloudflare_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestControlAPI(t *testing.T) {
	api, web := start(t)
	mustCall := func(want int, method, path, body string) string {
		t.Helper()
		status, got := call(t, web, method, path, body)
		if status != want {
			t.Fatalf("%s %s: status %d, want %d: %s", method, path, status, want, got)
		}
		return got
	}
	mustCall(http.StatusNoContent, http.MethodPut, "/_control/fault", `{"status":503,"times":2,"retry_after":"1"}`)
	mustCall(http.StatusServiceUnavailable, http.MethodPost, generate, `{"ttl":60}`)
	if got := mustCall(http.StatusOK, http.MethodGet, "/_control/fault", ""); got != `{"times":1,"status":503,"retry_after":"1"}` {
		t.Errorf("fault in force: %s", got)
	}
	mustCall(http.StatusServiceUnavailable, http.MethodPost, generate, `{"ttl":60}`)
	mustCall(http.StatusCreated, http.MethodPost, generate, `{"ttl":60}`)

	mustCall(http.StatusNoContent, http.MethodPut, "/_control/fault", `{"endpoint":"revoke","status":500}`)
	mustCall(http.StatusCreated, http.MethodPost, generate, `{"ttl":60}`)
	revoke := "/v1/turn/keys/key1/credentials/" + api.Issued()[0].Username + "/revoke"
	mustCall(http.StatusInternalServerError, http.MethodPost, revoke, "")
	mustCall(http.StatusNoContent, http.MethodDelete, "/_control/fault", "")
	mustCall(http.StatusNoContent, http.MethodPost, revoke, "")

	ledger := mustCall(http.StatusOK, http.MethodGet, "/_control/ledger", "")
	if !strings.HasPrefix(ledger, `{"requests":6,"credentials":[{"username":"`) || strings.Count(ledger, `"revoked_at"`) != 1 {
		t.Errorf("ledger: %s", ledger)
	}
	if strings.Contains(ledger, `"credential"`) {
		t.Error("the ledger gives a credential away")
	}
}

func TestControlAPIRefusesUnknownFaults(t *testing.T) {
	_, web := start(t)
	for _, body := range []string{
		`{"staus":503}`, `{"body":"odd"}`, `{"endpoint":"odd"}`, `{"status":99}`, `{"status":600}`,
		`{"times":-1}`, `{"delay_ms":-1}`, `[]`, ``,
	} {
		if status, _ := call(t, web, http.MethodPut, "/_control/fault", body); status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", body, status)
		}
	}
}
