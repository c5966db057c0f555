package simapp

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLoginAndDevices(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body["email"] != "a@b.c" || body["password"] != "secret-password" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"Invalid credentials"}`)
			return
		}
		_, _ = io.WriteString(w, `{"token":"T","expires_in":3600,"user_id":"u"}`)
	})
	mux.HandleFunc("GET /api/user/devices", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer T" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"devices":[{"device_id":"wimz_1","is_online":true}]}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, base := range []string{server.URL, strings.Replace(server.URL, "http", "ws", 1), server.URL + "/"} {
		token, err := Login(t.Context(), base, "a@b.c", "secret-password")
		if err != nil || token != "T" {
			t.Fatalf("%s: %q, %v", base, token, err)
		}
		devices, err := Devices(t.Context(), base, token)
		if err != nil || len(devices) != 1 || devices[0] != (DeviceStatus{DeviceID: "wimz_1", Online: true}) {
			t.Errorf("%s: %v, %v", base, devices, err)
		}
	}
	var refused *APIError
	_, err := Login(t.Context(), server.URL, "a@b.c", "wrong-password")
	if !errors.As(err, &refused) || refused.Status != 401 || refused.Detail != "Invalid credentials" {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "wrong-password") {
		t.Error("the error repeats the password")
	}
	_, err = Devices(t.Context(), server.URL, "X")
	if !errors.As(err, &refused) || refused.Detail != "Unauthorized" {
		t.Errorf("got %v", err)
	}
}

func TestPairAndUnpair(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/device/pair", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body["pairing_code"] != "7k3m-9qxd" || r.Header.Get("Authorization") != "Bearer T" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"detail":"No such code"}`)
			return
		}
		_, _ = io.WriteString(w, `{"success":true,"device_id":"wimz_1"}`)
	})
	mux.HandleFunc("DELETE /api/user/devices/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "wimz_1" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, `{"success":true}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	if id, err := PairDevice(t.Context(), server.URL, "T", "7k3m-9qxd"); err != nil || id != "wimz_1" {
		t.Errorf("paired %q, %v", id, err)
	}
	var refused *APIError
	if id, err := PairDevice(t.Context(), server.URL, "T", "7k3m-9qx0"); id != "" || !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("paired %q, %v", id, err)
	} else if strings.Contains(err.Error(), "7k3m") {
		t.Error("the error repeats the code")
	}
	if err := UnpairDevice(t.Context(), server.URL, "T", "wimz_1"); err != nil {
		t.Error(err)
	}
	if err := UnpairDevice(t.Context(), server.URL, "T", "wimz_2"); !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("got %v", err)
	}
}
