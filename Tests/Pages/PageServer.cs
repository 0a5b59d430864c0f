using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Pages;

/// <summary>A gateway with its pages, which the pages of <c>http://site.test</c> may call.</summary>
public sealed class PageServer : IAsyncLifetime
{
    internal GatewayServer Gateway { get; } = new("--HeartGrains:Sites=http://site.test:*", "--HeartGrains:Auth:AllowClaimedUser=true");

    public Uri At(string path) => new(Gateway.Url, path);

    public ValueTask InitializeAsync() => Gateway.InitializeAsync();

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();
}
