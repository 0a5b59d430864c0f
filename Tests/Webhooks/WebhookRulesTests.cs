using System.Net;
using System.Text;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Webhooks;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Webhooks;

/// <summary>What may be called, how messages are signed, when they are sent again.</summary>
public sealed class WebhookRulesTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public void Of_TheExampleOfTheSpecification_IsItsSignature() =>
        new WebhookSignature(Secret, null).Of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, """{"test": 2432232314}"""u8)
            .ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Fact]
    public void Of_TwoSecrets_SignsWithBoth() =>
        new WebhookSignature("whsec_" + Convert.ToBase64String(new byte[24]), Secret).Of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, """{"test": 2432232314}"""u8)
            .ShouldEndWith(" v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("193.0.6.139", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.9.9.9", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("2001:db8::1", false)]
    public void Is_EachKindOfAddress_TellsPublicOnes(string address, bool isPublic) => PublicAddress.Is(IPAddress.Parse(address)).ShouldBe(isPublic);

    [Theory]
    [InlineData("https://hooks.example.com/x", null)]
    [InlineData("https://8.8.8.8/x", null)]
    [InlineData("http://hooks.example.com/x", "not an https URL")]
    [InlineData("https://user:word@hooks.example.com/x", "without user")]
    [InlineData("https://127.0.0.1/x", "not a public host")]
    [InlineData("https://localhost/x", "not a public host")]
    [InlineData("https://10.0.0.1/x", "not a public host")]
    [InlineData("https://[::1]/x", "not a public host")]
    [InlineData("https://[fd00::1]/x", "not a public host")]
    [InlineData("ftp://hooks.example.com/x", "not an https URL")]
    [InlineData("/hook", "not an https URL")]
    public void Read_Url_IsAPublicHttpsOne(string url, string? wrong) => ShouldTell(wrong, HostMode.Single, ("Name", "crm"), ("Url", url), ("Secret", Secret));

    [Fact]
    public void Read_Loopback_IsForDevelopmentAlone() => ShouldTell(null, HostMode.Dev, ("Name", "crm"), ("Url", "http://127.0.0.1:9/x"), ("Secret", Secret));

    [Theory]
    [InlineData("Name", "has no name")]
    [InlineData("Secret", "has no secret")]
    [InlineData("Url", "not an https URL")]
    public void Read_PartMissing_IsTold(string part, string wrong) => ShouldTell(
        wrong, HostMode.Single, [.. new[] { ("Name", "crm"), ("Url", "https://hooks.example.com"), ("Secret", Secret) }.Where(pair => pair.Item1 != part)]);

    [Theory]
    [InlineData("whsec_short")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw1")]
    public void Read_SecretThatIsNone_IsToldWithoutIt(string secret)
    {
        var error = Should.Throw<StartException>(() => Read(HostMode.Single, ("Name", "crm"), ("Url", "https://hooks.example.com"), ("Secret", secret)));

        error.Message.ShouldContain("Secret");
        error.Message.ShouldNotContain(secret);
    }

    [Fact]
    public void Delay_FailureAfterFailure_DoublesToAnHourWithJitter()
    {
        var first = TimeSpan.FromSeconds(5);
        WebhookSchedule.Delay(first, 0, null, 1).ShouldBe(TimeSpan.FromSeconds(5));
        WebhookSchedule.Delay(first, 0, null, 0).ShouldBe(TimeSpan.FromSeconds(2.5));
        WebhookSchedule.Delay(first, 3, null, 1).ShouldBe(TimeSpan.FromSeconds(40));
        WebhookSchedule.Delay(first, 1_000, null, 1).ShouldBe(TimeSpan.FromHours(1));
        WebhookSchedule.Delay(first, 0, TimeSpan.FromMinutes(2), 1).ShouldBe(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void IdOf_State_IsTheSameForTheSameBytesAlone()
    {
        HeartState[] states = [new(HeartOutcome.Committed, 2, 3, null, 4), new(HeartOutcome.Committed, 1, 3, null, 4), new(HeartOutcome.Committed, 2, 4, null, 4), new(HeartOutcome.Committed, 2, 3, null, 5)];
        states.Concat(states).Select(static state => WebhookMessage.IdOf("crm", Guid.Empty, state)).Distinct().Count().ShouldBe(states.Length);
        WebhookMessage.IdOf("crm2", Guid.Empty, states[0]).ShouldNotBe(WebhookMessage.IdOf("crm", Guid.Empty, states[0]));
    }

    private static void ShouldTell(string? wrong, HostMode mode, params (string Key, string Value)[] endpoint)
    {
        if (wrong is null) Read(mode, endpoint).Endpoints.Count.ShouldBe(1);
        else Should.Throw<StartException>(() => Read(mode, endpoint)).Message.ShouldContain(wrong);
    }

    private static WebhookSettings Read(HostMode mode, params (string Key, string Value)[] endpoint) => WebhookSettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(endpoint.Select(pair => KeyValuePair.Create<string, string?>($"HeartGrains:Webhooks:Endpoints:0:{pair.Key}", pair.Value))).Build(), mode);
}
