package wire

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestSignatureVectors signs what another program has signed.
func TestSignatureVectors(t *testing.T) {
	data, err := os.ReadFile("../../testdata/auth/device_signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Name      string   `json:"name"`
			DeviceID  DeviceID `json:"device_id"`
			Secret    string   `json:"secret"`
			Timestamp string   `json:"timestamp"`
			Signature string   `json:"signature"`
		} `json:"vectors"`
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Vectors) == 0 {
		t.Fatal(err, "or no vectors")
	}
	for _, v := range file.Vectors {
		var at time.Time
		if v.Timestamp != "" {
			seconds, err := strconv.ParseInt(v.Timestamp, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			at = time.Unix(seconds, 0)
		}
		if got := Sign(v.Secret, v.DeviceID, at); got != v.Signature {
			t.Errorf("%s: got %s, want %s", v.Name, got, v.Signature)
		}
	}
}

func TestVerifySignature(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	good := Sign("key", deviceID, at)
	for name, c := range map[string]struct {
		secret string
		id     DeviceID
		at     time.Time
		sig    string
		want   bool
	}{
		"as signed":      {"key", deviceID, at, good, true},
		"same second":    {"key", deviceID, at.Add(time.Millisecond), good, true},
		"other zone":     {"key", deviceID, at.UTC(), good, true},
		"other key":      {"Key", deviceID, at, good, false},
		"other device":   {"key", "wimz_abc124", at, good, false},
		"other second":   {"key", deviceID, at.Add(time.Second), good, false},
		"static":         {"key", deviceID, time.Time{}, good, false},
		"none":           {"key", deviceID, at, "", false},
		"cut off":        {"key", deviceID, at, good[:63], false},
		"in upper case":  {"key", deviceID, at, "A" + good[1:], false},
		"something more": {"key", deviceID, at, good + "0", false},
	} {
		if got := VerifySignature(c.secret, c.id, c.at, c.sig); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
