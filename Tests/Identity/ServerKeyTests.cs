using System.Net;
using System.Text.Json;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Tests.Identity;

/// <summary>Server keys: how they are configured, followed and named in the log.</summary>
public sealed class ServerKeyTests
{
    private static readonly string Hash = TestKeys.HashOf("hg_x");

    public static TheoryData<string[], string> Wrong { get; } = new()
    {
        { ["0:Hash=" + Hash, "0:Scopes=hearts:read"], "needs a name" },
        { ["0:Name=Shop", "0:Hash=" + Hash, "0:Scopes=hearts:read"], "1 to 40 of a-z" },
        { ["0:Name=" + new string('a', 41), "0:Hash=" + Hash, "0:Scopes=hearts:read"], "1 to 40 of a-z" },
        { ["0:Name=shop", "0:Scopes=hearts:read"], "sha256sum" },
        { ["0:Name=shop", "0:Hash=hg_the-key-itself", "0:Scopes=hearts:read"], "sha256sum" },
        { ["0:Name=shop", "0:Hash=sha256:abcd", "0:Scopes=hearts:read"], "sha256sum" },
        { ["0:Name=shop", "0:Hash=sha256:" + new string('g', 64), "0:Scopes=hearts:read"], "sha256sum" },
        { ["0:Name=shop", "0:Hash=" + Hash], "may do nothing" },
        { ["0:Name=shop", "0:Hash=" + Hash, "0:Scopes=hearts:reed"], "'hearts:reed' is no scope" },
        { ["0:Name=shop", "0:Hash=" + Hash, "0:Scopes=hearts:read", "1:Name=shop", "1:Hash=" + TestKeys.HashOf("hg_y"), "1:Scopes=hearts:read"], "Two keys are named" },
        { ["0:Name=shop", "0:Hash=" + Hash, "0:Scopes=hearts:read", "1:Name=till", "1:Hash=" + Hash, "1:Scopes=hearts:write"], "are the same key" },
        { ["0:Name=shop", "0:Hash=" + Hash, "0:Scopes=hearts:read", "0:Scope=hearts:read"], "did you mean" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Start_WrongKey_IsRefusedAndTaught(string[] settings, string lesson)
    {
        var refused = Should.Throw<StartException>(() => AuthPolicy.Read(
            ServiceHost.CreateBuilder(["--mode=dev", "--port=0", .. settings.Select(static setting => "--HeartGrains:Auth:Keys:" + setting)], 0, GatewayHosting.Features).Configuration));
        refused.Message.ShouldContain(lesson);
        refused.Message.ShouldNotContain("hg_the-key-itself");
    }

    [Theory]
    [InlineData("hearts:write", AuthScope.HeartsWrite, true)]
    [InlineData("hearts:write", AuthScope.HeartsRead, false)]
    [InlineData("hearts:write", AuthScope.HeartsAdmin, false)]
    [InlineData("hearts:read", AuthScope.HeartsWrite, false)]
    [InlineData("hearts:read", AuthScope.HeartsAdmin, false)]
    [InlineData("hearts:read, hearts:write", AuthScope.HeartsWrite, true)]
    [InlineData("hearts:admin", AuthScope.HeartsWrite, true)]
    [InlineData("hearts:admin", AuthScope.HeartsRead, true)]
    [InlineData("hearts:admin", AuthScope.HeartsAdmin, true)]
    internal void Has_Scope_OnlyWhatIsWrittenAndAdminAll(string scopes, AuthScope scope, bool has) =>
        ServerKeys.Of([new ServerKeyOptions { Name = "k", Hash = Hash, Scopes = scopes }]).Find(Convert.FromHexString(Hash[7..]))!.Has(scope).ShouldBe(has);

    [Fact]
    public async Task Settings_KeyTakenAway_IsRefusedFromThenOn()
    {
        var file = Path.GetTempFileName();
        try
        {
            await WriteAsync(file, "hg_first");
            await using var gateway = new GatewayServer("--settings=" + file);
            await gateway.InitializeAsync();
            (await ResetAsync(gateway, "hg_first")).ShouldBe(HttpStatusCode.OK);
            (await ResetAsync(gateway, "hg_second")).ShouldBe(HttpStatusCode.Unauthorized);

            await WriteAsync(file, "hg_second");
            await LocalCluster.UntilAsync(async () => await ResetAsync(gateway, "hg_second") == HttpStatusCode.OK, TimeSpan.FromSeconds(60), "the new key is not followed");
            (await ResetAsync(gateway, "hg_first")).ShouldBe(HttpStatusCode.Unauthorized);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Origin_OfEachCaller_NamesWhoProvedItAndIsTheSameObject()
    {
        await using var gateway = new GatewayServer(JwtServer.Keys);
        await gateway.InitializeAsync();
        var callers = gateway.Services.GetRequiredService<Callers>();
        Identify("Bearer " + JwtServer.WriteKey, "u").Origin!.Actor.ShouldBe("key:shop");
        Identify("bearer   " + JwtServer.WriteKey + " ", "u").Origin.ShouldBeSameAs(Identify("Bearer " + JwtServer.WriteKey, "u").Origin);
        Identify(default, "u").Origin.ShouldBeSameAs(HeartOrigin.Claimed);
        Identify(default, null).Origin.ShouldBeSameAs(HeartOrigin.Reader);
        Identify("Basic dTpw", "u").Origin.ShouldBeSameAs(HeartOrigin.Claimed, "a proxy's own password is not for us");
        Identify(new StringValues(["Basic dTpw", "Bearer " + JwtServer.WriteKey]), "u").Refusal!.Problem.ShouldBe(Problem.InvalidToken, "which of two headers is meant?");

        Caller Identify(StringValues authorization, string? user) => callers.Identify(Call(gateway, authorization), user, Problem.InvalidFields);
    }

    [Theory]
    [InlineData("203.0.113.77", "203.0.113.0/24")]
    [InlineData("::ffff:203.0.113.77", "203.0.113.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")]
    [InlineData(null, null)]
    public void NetworkOf_Address_IsCut(string? address, string? network) =>
        CallerNetworks.NetworkOf(address is null ? null : IPAddress.Parse(address)).ShouldBe(network);

    [Fact]
    public async Task Origin_WhereNetworksAreKept_HoldsTheCallersCut()
    {
        await using var gateway = new GatewayServer(["--HeartGrains:Audit:KeepNetworks=true", .. JwtServer.Keys]);
        await gateway.InitializeAsync();
        var callers = gateway.Services.GetRequiredService<Callers>();
        callers.Identify(Call(gateway, "Bearer " + JwtServer.WriteKey), "u", Problem.InvalidFields).Origin.ShouldBe(new HeartOrigin("key:shop", "127.0.0.0/24"));
        callers.TryAuthorize(Call(gateway, "Bearer " + JwtServer.AdminKey), AuthScope.HeartsAdmin, out var caller).ShouldBeTrue();
        caller.Origin.ShouldBe(new HeartOrigin("key:operator", "127.0.0.0/24"));
    }

    private static DefaultHttpContext Call(GatewayServer gateway, StringValues authorization)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Request.Host = new HostString("localhost");
        context.Request.Headers.Authorization = authorization;
        var credentials = gateway.Services.GetRequiredService<Credentials>();
        if (!credentials.TryRecall(context)) credentials.VerifyAsync(context).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
        return context;
    }

    private static Task WriteAsync(string file, string key) => File.WriteAllTextAsync(file, JsonSerializer.Serialize(new
    {
        HeartGrains = new { Auth = new { Keys = new[] { new { Name = "operator", Hash = TestKeys.HashOf(key), Scopes = "hearts:admin" } } } },
    }));

    private static async Task<HttpStatusCode> ResetAsync(GatewayServer gateway, string key)
    {
        using var answer = await gateway.Client.SendAsync(HttpMethod.Delete, "/api/v1/quota?user_id=u", key);
        return answer.StatusCode;
    }
}
