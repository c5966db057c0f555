// Package simapp is the app's end of the system, without a phone: it signs in,
// asks a robot for video, answers its offer, decodes what comes and measures
// it. Tests, the terminal program and diagnosis use it.
//
//	token, _ := simapp.Login(ctx, relay, email, password)
//	phone, _ := simapp.Dial(ctx, simapp.Config{RelayURL: relay, Token: token, Log: log})
//	defer phone.Close()
//	viewing, _ := phone.Watch(ctx, simapp.Options{Device: "wimz_abc123"})
//	_ = viewing.WaitFrames(ctx, 30)
//	report := viewing.Report()
//
// A [Phone] is one signed-in app with one relay socket; a [Viewing] is one
// session of it with one robot. Every viewing has one goroutine that owns its
// peer connection and everything that is said in the session; pion's callbacks
// and the relay socket only post to its inbox. Each phase has a deadline, so a
// viewing always ends in pictures or in an error that says what was missing.
package simapp
