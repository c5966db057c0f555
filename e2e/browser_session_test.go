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
	"wimz.dev/live/relay/wire"
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

// choose takes a robot from the list.
func (t *tab) choose(id wire.DeviceID) {
	GinkgoHelper()
	t.click(fmt.Sprintf("#robots [data-device=%q]", id))
}

// expectOnly changes to a robot and says that from that moment on there is no other
// robot's picture on the screen.
func (t *tab) expectOnly(id wire.DeviceID, of func(number uint32) bool) {
	GinkgoHelper()
	t.run("observer.switched = Infinity; observer.take()")
	t.choose(id)
	shown := 0
	Eventually(func() (int, error) {
		shots, err := t.shots()
		for _, s := range shots {
			stamp, none := s.stamp()
			if !s.After || none != nil {
				continue
			}
			Expect(of(stamp.Number)).To(BeTrue(), "picture %d is not of %s", stamp.Number, id)
			shown++
		}
		return shown, err
	}).WithTimeout(20*time.Second).Should(BeNumerically(">=", 30), "times that %s was seen", id)
}

// statistic asks for a field of the video's statistics: of what the path says.
func (t *tab) statistic(expression string) (string, error) {
	return evaluate[string](t, `(async () => {
		const report = await observer.peers.at(-1).getStats();
		const find = (type) => [...report.values()].find((s) => s.type === type);
		const video = [...report.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
		const pair = report.get(find('transport').selectedCandidatePairId);
		return `+expression+`;
	})()`)()
}

// codec is the MIME type of what is decoded.
func (t *tab) codec() (string, error) { return t.statistic("report.get(video.codecId).mimeType") }

// candidate is the kind of this side's end of the path.
func (t *tab) candidate() (string, error) {
	return t.statistic("report.get(pair.localCandidateId).candidateType")
}
