using HeartGrains.Audit;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Grpc;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.BadInput;

/// <summary>One gateway for all rows: HTTP and gRPC, users' tokens and keys of each scope; claims are believed, so that nothing but what the row gets wrong is in the way.</summary>
public sealed class BadInputServer : IAsyncLifetime
{
    private const string Whole = "whole";
    private readonly GrpcServer _server = new([.. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Rsa, JwtServer.Ecdsa, JwtServer.Ed25519, JwtServer.Hmac)), .. JwtServer.Keys, "--HeartGrains:Audit:WatchPeriod=00:00:00"]);
    private long _hearts;

    internal HttpClient Client => _server.Http;

    internal Uri Url => _server.Gateway.Url;

    internal string Grpc => _server.Url.ToString();

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => _server.InitializeAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>What a row's <c>as</c> sends; null for nothing.</summary>
    internal static string? BearerOf(string? caller) => caller switch
    {
        null => null,
        "admin" => JwtServer.AdminKey,
        "write" => JwtServer.WriteKey,
        "read" => JwtServer.ReadKey,
        "unknown" => "hg_a-key-of-nobody-at-all",
        "user" => JwtServer.Ecdsa.Sign("zoe", TimeProvider.System.GetUtcNow()),
        _ => throw new InvalidOperationException($"'{caller}' is no caller"),
    };

    /// <summary>A heart is taken and counted, and nothing but such hearts was ever stored; what was refused is nobody's warning.</summary>
    internal async Task ShouldBeWholeAsync()
    {
        var given = await Client.GiveAsync(Whole, HeartClient.Fresh("u")).JsonAsync();
        given.GetProperty("count").GetInt64().ShouldBe(++_hearts);
        var stored = await _server.Gateway.Services.GetRequiredService<IEventLog>().ReadAsync(EventPosition.Start, long.MaxValue, default, int.MaxValue, TestContext.Current.CancellationToken);
        stored.Count.ShouldBe((int)_hearts, "a refused call stored something");
        _server.Gateway.Log.Lines.Where(static line => !line.StartsWith("Note: ", StringComparison.Ordinal)).ShouldBeEmpty();
    }
}
