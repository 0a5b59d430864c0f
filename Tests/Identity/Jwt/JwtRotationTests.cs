using System.Net;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>Keys that change while the program runs: of an authority on loopback, and of a file.</summary>
public sealed class JwtRotationTests
{
    [Fact]
    public async Task Authority_NewKey_IsBelievedAtOnceAndTheOldOneForgotten()
    {
        await using var authority = await Authority.StartAsync();
        var (first, second) = (TestSigner.Rsa("first"), TestSigner.Ecdsa("second"));
        authority.Keys = TestSigner.SetOf(first);
        await using var gateway = await StartAsync(authority, "MinRefreshInterval=00:00:00.100");
        var old = authority.Sign(first);
        (await GiveAsync(gateway, old)).ShouldBe(HttpStatusCode.Created);

        authority.Keys = TestSigner.SetOf(second);
        await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(second)) == HttpStatusCode.Created, TimeSpan.FromSeconds(60), "the new key is not believed");
        (await GiveAsync(gateway, old)).ShouldBe(HttpStatusCode.Unauthorized, "it was verified once, but under a key that is gone");
    }

    [Fact]
    public async Task Authority_Fails_KnownKeysGoOn()
    {
        await using var authority = await Authority.StartAsync();
        var (known, unknown) = (TestSigner.Rsa("known"), TestSigner.Rsa("unknown"));
        authority.Keys = TestSigner.SetOf(known);
        await using var gateway = await StartAsync(authority, "MinRefreshInterval=00:00:00.100", "RefreshPeriod=00:00:01");
        (await GiveAsync(gateway, authority.Sign(known))).ShouldBe(HttpStatusCode.Created);

        authority.Keys = null;
        var fetches = authority.Fetches;
        await LocalCluster.UntilAsync(() => Task.FromResult(authority.Fetches > fetches + 1), TimeSpan.FromSeconds(60), "it is not asked again");
        using (var answer = await gateway.Client.GiveWithAsync(authority.Sign(unknown), HeartClient.Fresh("t")))
        {
            await answer.ShouldBeProblemAsync(503, "unavailable");
            answer.Headers.RetryAfter.ShouldNotBeNull();
        }

        (await GiveAsync(gateway, authority.Sign(known))).ShouldBe(HttpStatusCode.Created);
        gateway.Log.Lines.ShouldContain(static line => line.Contains("that are known go on"));

        authority.Keys = """{"keys":"nonsense"}""";
        fetches = authority.Fetches;
        await LocalCluster.UntilAsync(() => Task.FromResult(authority.Fetches > fetches + 1), TimeSpan.FromSeconds(60), "it is not asked again");
        (await GiveAsync(gateway, authority.Sign(known))).ShouldBe(HttpStatusCode.Created);

        authority.Keys = TestSigner.SetOf(known);
        await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(unknown)) == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(60), "it cannot be told that there is no such key");
    }

    [Fact]
    public async Task Authority_TakesAllKeysBack_NothingIsBelievedUntilItHasOthers()
    {
        await using var authority = await Authority.StartAsync();
        var (first, second) = (TestSigner.Rsa("first"), TestSigner.Rsa("second"));
        authority.Keys = TestSigner.SetOf(first);
        await using var gateway = await StartAsync(authority, "MinRefreshInterval=00:00:00.100", "RefreshPeriod=00:00:01", "Algorithms=RS256,HS256");
        await BelievedAsync(first);

        // No set at all is an outage, and takes nothing back.
        authority.Keys = """{"error":"try again"}""";
        await LocalCluster.UntilAsync(() => Task.FromResult(gateway.Log.Lines.Any(static line => line.Contains("that are known go on"))), TimeSpan.FromSeconds(60), "it is not asked again");
        await BelievedAsync(first);

        foreach (var none in (string[])["""{"keys":[]}""", TestSigner.SetOf(TestSigner.Hmac("secret", new byte[32])), TestSigner.SetOf(TestSigner.Rsa("weak", 1024))])
        {
            authority.Keys = none;
            await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(first)) == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(60), $"its key is still believed: {none}");
            authority.Keys = TestSigner.SetOf(second);
            await BelievedAsync(second);
            authority.Keys = TestSigner.SetOf(first);
            await BelievedAsync(first);
        }

        Task BelievedAsync(TestSigner signer) =>
            LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(signer)) == HttpStatusCode.Created, TimeSpan.FromSeconds(60), "its key is not believed");
    }

    [Fact]
    public async Task Authority_NotThereYet_Is503AndTokensAreBelievedOnceItIs()
    {
        await using var authority = await Authority.StartAsync();
        var signer = TestSigner.Ed25519("key");
        await using var gateway = await StartAsync(authority, "MinRefreshInterval=00:00:00.100");
        using (var answer = await gateway.Client.GiveWithAsync(authority.Sign(signer), HeartClient.Fresh("t")))
        {
            await answer.ShouldBeProblemAsync(503, "unavailable");
            answer.Headers.RetryAfter.ShouldNotBeNull();
        }

        authority.Keys = TestSigner.SetOf(signer);
        await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(signer)) == HttpStatusCode.Created, TimeSpan.FromSeconds(60), "it is not believed");
    }

    [Fact]
    public async Task Authority_ManyUnknownKeys_AreAskedForOnce()
    {
        await using var authority = await Authority.StartAsync();
        authority.Keys = TestSigner.SetOf(TestSigner.Ecdsa("known"));
        await using var gateway = await StartAsync(authority, "MinRefreshInterval=01:00:00");
        await LocalCluster.UntilAsync(() => Task.FromResult(authority.Fetches == 1), TimeSpan.FromSeconds(60), "it is not asked");
        for (var kid = 0; kid < 20; kid++) (await GiveAsync(gateway, authority.Sign(TestSigner.Ecdsa($"strange-{kid}")))).ShouldBe(HttpStatusCode.Unauthorized);
        authority.Fetches.ShouldBe(1);
    }

    [Fact]
    public async Task Authority_PublishesKeysThatAreNoUse_TheyArePassedOver()
    {
        await using var authority = await Authority.StartAsync();
        var (good, weak, secret) = (TestSigner.Rsa("good"), TestSigner.Rsa("weak", 1024), TestSigner.Hmac("secret", new byte[32]));
        authority.Keys = TestSigner.SetOf(weak, secret, good);
        await using var gateway = await StartAsync(authority, "Algorithms=RS256,HS256");
        await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, authority.Sign(good)) == HttpStatusCode.Created, TimeSpan.FromSeconds(60), "the good key is not believed");
        (await GiveAsync(gateway, authority.Sign(weak))).ShouldBe(HttpStatusCode.Unauthorized, "1024 bits");
        (await GiveAsync(gateway, authority.Sign(secret))).ShouldBe(HttpStatusCode.Unauthorized, "a secret that is published");
    }

    [Fact]
    public async Task File_NewKey_IsFollowedAndASpoiltFileChangesNothing()
    {
        var file = Path.GetTempFileName();
        try
        {
            var (first, second) = (TestSigner.Hmac("first", Secret(1)), TestSigner.Hmac("second", Secret(2)));
            await File.WriteAllTextAsync(file, TestSigner.SetOf(first), TestContext.Current.CancellationToken);
            await using var gateway = new GatewayServer([.. JwtServer.SettingsOf(file)]);
            await gateway.InitializeAsync();
            var old = first.Sign("u", TimeProvider.System.GetUtcNow());
            (await GiveAsync(gateway, old)).ShouldBe(HttpStatusCode.Created);

            await File.WriteAllTextAsync(file, TestSigner.SetOf(second), TestContext.Current.CancellationToken);
            await LocalCluster.UntilAsync(async () => await GiveAsync(gateway, second.Sign("u", TimeProvider.System.GetUtcNow())) == HttpStatusCode.Created, TimeSpan.FromSeconds(60), "it is not followed");
            (await GiveAsync(gateway, old)).ShouldBe(HttpStatusCode.Unauthorized);

            await File.WriteAllTextAsync(file, TestSigner.SetOf(TestSigner.Hmac("weak", new byte[16])), TestContext.Current.CancellationToken);
            await LocalCluster.UntilAsync(() => Task.FromResult(gateway.Log.Lines.Any(static line => line.Contains("256 or more"))), TimeSpan.FromSeconds(60), "it is not told");
            (await GiveAsync(gateway, second.Sign("u", TimeProvider.System.GetUtcNow()))).ShouldBe(HttpStatusCode.Created);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static byte[] Secret(byte letter) => [.. Enumerable.Repeat(letter, 32)];

    private static async Task<GatewayServer> StartAsync(Authority authority, params string[] settings)
    {
        var gateway = new GatewayServer(
            [$"--HeartGrains:Auth:Jwt:Authority={authority.Url}", $"--HeartGrains:Auth:Jwt:Audience={TestSigner.Audience}", .. settings.Select(static setting => "--HeartGrains:Auth:Jwt:" + setting)]);
        await gateway.InitializeAsync();
        return gateway;
    }

    private static async Task<HttpStatusCode> GiveAsync(GatewayServer gateway, string token)
    {
        using var answer = await gateway.Client.GiveWithAsync(token, HeartClient.Fresh("t"));
        return answer.StatusCode;
    }

    /// <summary>Who signs, as OpenID Connect Discovery finds it.</summary>
    private sealed class Authority : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private int _fetches;

        private Authority(WebApplication app) => _app = app;

        public string Url => _app.Urls.First();

        /// <summary>What it publishes; null while it fails.</summary>
        public string? Keys { get; set; }

        public int Fetches => _fetches;

        public static async Task<Authority> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var authority = new Authority(app);
            app.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = authority.Url, jwks_uri = authority.Url + "/keys" }));
            app.MapGet("/keys", () =>
            {
                Interlocked.Increment(ref authority._fetches);
                return authority.Keys is { } keys ? Results.Text(keys, "application/json") : Results.StatusCode(500);
            });
            await app.StartAsync();
            return authority;
        }

        public string Sign(TestSigner signer) => signer.Sign(signer.Header(), TestSigner.Claims("u", TimeProvider.System.GetUtcNow(), Url));

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
