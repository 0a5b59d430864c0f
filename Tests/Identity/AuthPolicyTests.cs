using System.Net;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Sites;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Tests.Identity;

public sealed class AuthPolicyTests
{
    [Theory]
    [InlineData("single", "127.0.0.1", null, "127.0.0.1", true)]
    [InlineData("dev", "::1", null, "::1", true)]
    [InlineData("dev", "127.0.0.1", null, "::ffff:127.0.0.1", true)]
    [InlineData("dev", "127.0.0.1", null, "203.0.113.5", false)]
    [InlineData("dev", "127.0.0.1", null, null, false)]
    [InlineData("single", "0.0.0.0", null, "127.0.0.1", false)]
    [InlineData("cluster", "127.0.0.1", null, "127.0.0.1", false)]
    [InlineData("cluster", "0.0.0.0", "true", "203.0.113.5", true)]
    [InlineData("dev", "127.0.0.1", "false", "127.0.0.1", false)]
    public void AllowsClaims_OnlyOnThisMachineOrWhereConfigured(string mode, string listen, string? setting, string? from, bool allows) =>
        Allows(Call(from), [new("Mode", mode), new("Listen", listen), new("Auth:AllowClaimedUser", setting)]).ShouldBe(allows);

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("x-forwarded-host")]
    [InlineData("X-Forwarded-Proto")]
    [InlineData("X-Forwarded")]
    [InlineData("X-Original-For")]
    [InlineData("Forwarded")]
    [InlineData("Via")]
    [InlineData("X-Real-IP")]
    [InlineData("CF-Connecting-IP")]
    [InlineData("True-Client-IP")]
    public void AllowsClaims_OfACallThatAProxyPassedOn_OnlyWhereConfigured(string header)
    {
        var call = Call("127.0.0.1");
        call.Request.Headers[header] = "203.0.113.5";
        Allows(call).ShouldBeFalse();
        Allows(call, [new("Auth:AllowClaimedUser", "true")]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("localhost:8080", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("127.0.0.1:8080", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("hearts.example.com", false)]
    [InlineData("evil.example:8080", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("192.168.1.7:8080", false)]
    [InlineData("", false)]
    public void AllowsClaims_OfACallToAnotherHost_OnlyWhereConfigured(string host, bool allows)
    {
        var call = Call("127.0.0.1", host);
        Allows(call).ShouldBe(allows);
        Allows(call, [new("Auth:AllowClaimedUser", "true")]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("TrustedProxies", "127.0.0.1", false)]
    [InlineData("TrustedProxies:0", "10.0.0.0/8", false)]
    [InlineData("TrustedProxies", "", true)]
    [InlineData("Sites", "https://blog.example.com", false)]
    [InlineData("Sites", "http://localhost:*,https://*.example.com", false)]
    [InlineData("Sites:0", "http://site.test:*", false)]
    [InlineData("Sites", "http://localhost:*,http://127.0.0.1:3000,http://[::1]:3000", true)]
    public void AllowsClaims_WhereOthersThanThisMachineAreExpected_OnlyWhereConfigured(string name, string value, bool allows)
    {
        Allows(Call("127.0.0.1"), [new(name, value)]).ShouldBe(allows);
        Allows(Call("127.0.0.1"), [new(name, value), new("Auth:AllowClaimedUser", "true")]).ShouldBeTrue();
    }

    private static bool Allows(HttpContext context, params KeyValuePair<string, string?>[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("HeartGrains:Mode", "single"), new("HeartGrains:Listen", "127.0.0.1")])
            .AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create("HeartGrains:" + setting.Key, setting.Value))).Build();
        using var sites = new SiteList(configuration, NullLogger<SiteList>.Instance);
        return AuthPolicy.Read(configuration).AllowsClaims(context, sites);
    }

    private static DefaultHttpContext Call(string? from, string host = "127.0.0.1:8080")
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = from is null ? null : IPAddress.Parse(from);
        context.Request.Host = new HostString(host);
        return context;
    }
}
