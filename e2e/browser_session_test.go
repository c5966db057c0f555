package e2e

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// configure changes the robot's configuration.
func (s *stage) configure(change func(robot string) string) {
	GinkgoHelper()
	configure(s.configFile, change)
}

func configure(file string, change func(robot string) string) {
	GinkgoHelper()
	robot, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(file, []byte(change(string(robot))), 0o600)).To(Succeed())
}

// brisk brings up a relay and a robot that is online, comes back soon and lets go at
// once: nobody has to wait for it.
func brisk(ctx SpecContext, o harness.Options) *stage {
	GinkgoHelper()
	s := empty(ctx, &binaries, o)
	s.configure(func(robot string) string {
		return strings.NewReplacer("reconnect_delay: 5", "reconnect_delay: 0.5", "webrtc:", "webrtc:\n  linger: 0").Replace(robot)
	})
	Expect(s.StartRobot(ctx, robotID, s.configFile, s.owner)).To(Succeed())
	return s
}

// withToken lets every login give this token, which cannot be renewed, until
// observer.token is nil.
func withToken(token string) string {
	return fmt.Sprintf(`
		observer.token = %q;
		const fetched = window.fetch;
		window.fetch = async (url, options) => {
			if (!observer.token || !String(url).includes('api/auth/')) return fetched(url, options);
			if (String(url).endsWith('refresh')) return new Response('{}', {status: 503});
			return new Response(JSON.stringify({token: observer.token, expires_in: 1, user_id: 'x'}));
		};`, token)
}

// shortToken is a token of the owner's that expires soon.
func (s *stage) shortToken(life time.Duration) string {
	GinkgoHelper()
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(s.owner.Token, claims)
	Expect(err).NotTo(HaveOccurred())
	claims["exp"] = time.Now().Add(life).Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(s.Secrets()[0]))
	Expect(err).NotTo(HaveOccurred())
	return token
}
