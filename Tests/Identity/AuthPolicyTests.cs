using System.Net;
using HeartGrains.Gateway.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Identity;

public sealed class AuthPolicyTests
{
    [Theory]
    [InlineData("single", "127.0.0.1", null, "127.0.0.1", null, true)]
    [InlineData("dev", "::1", null, "::1", null, true)]
    [InlineData("dev", "127.0.0.1", null, "::ffff:127.0.0.1", null, true)]
    [InlineData("dev", "127.0.0.1", null, "203.0.113.5", null, false)]
    [InlineData("dev", "127.0.0.1", null, null, null, false)]
    [InlineData("dev", "127.0.0.1", null, "127.0.0.1", "X-Forwarded-For", false)]
    [InlineData("dev", "127.0.0.1", null, "127.0.0.1", "Forwarded", false)]
    [InlineData("single", "0.0.0.0", null, "127.0.0.1", null, false)]
    [InlineData("cluster", "127.0.0.1", null, "127.0.0.1", null, false)]
    [InlineData("cluster", "0.0.0.0", "true", "203.0.113.5", "X-Forwarded-For", true)]
    [InlineData("dev", "127.0.0.1", "false", "127.0.0.1", null, false)]
    public void AllowsClaims_OnlyOnThisMachineOrWhereConfigured(string mode, string listen, string? setting, string? from, string? header, bool allows)
    {
        var policy = AuthPolicy.Read(new ConfigurationBuilder().AddInMemoryCollection(
            [new("HeartGrains:Mode", mode), new("HeartGrains:Listen", listen), new("HeartGrains:Auth:AllowClaimedUser", setting)]).Build());
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = from is null ? null : IPAddress.Parse(from);
        if (header is not null) context.Request.Headers[header] = "for=203.0.113.5";
        policy.AllowsClaims(context).ShouldBe(allows);
    }
}
