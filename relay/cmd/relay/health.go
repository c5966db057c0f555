package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// healthTime bounds the question: one that takes longer is answered.
const healthTime = 5 * time.Second

// healthCmd asks a running relay. A container has nothing else to ask with.
type healthCmd struct{}

// Help is shown by relay health --help.
func (*healthCmd) Help() string {
	return `Asks the relay at HOST and PORT, with TLS if it has a certificate. Prints ok, or what
is wrong, with exit status 1.`
}

// Run asks once.
func (*healthCmd) Run(ctx context.Context, a *app) error {
	if err := a.check(); err != nil {
		return err
	}
	address, scheme := a.cfg.LocalAddr(), "http"
	if address == "" {
		return errors.New("the relay has no fixed port: set PORT")
	}
	if a.cfg.TLS() {
		scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+"/health", http.NoBody)
	if err != nil {
		return err
	}
	// Its certificate is for another name than localhost. Nothing secret is sent.
	unverified := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: unverified}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the relay does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it is not read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the relay answers %s", response.Status)
	}
	_, err = fmt.Fprintln(a.stdout, "ok")
	return err
}
