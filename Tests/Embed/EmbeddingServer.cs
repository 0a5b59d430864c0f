using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Embed;

/// <summary>A gateway and, at <c>http://site.test</c>, a site that may embed its hearts.</summary>
public sealed class EmbeddingServer : IAsyncLifetime
{
    internal GatewayServer Gateway { get; } = new("--HeartGrains:Sites=http://site.test:*", "--HeartGrains:Auth:AllowClaimedUser=true");

    internal TestSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await Gateway.InitializeAsync();
        Site = await TestSite.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Site.DisposeAsync();
    }

    /// <summary>A page of the gateway's own origin, with the script.</summary>
    internal Uri Own(string body, string head = "") => new(Gateway.Url, Gateway.Pages.Add(body, head + ButtonPage.Script(Gateway.Url)));

    /// <summary>A page of the site, with the script.</summary>
    internal Uri Foreign(string body, string head = "", string? policy = null) =>
        new(Site.At("site.test"), Site.Pages.Add(body, head + ButtonPage.Script(Gateway.Url), policy));

    /// <summary>How many love a target, as the API says.</summary>
    internal async Task<long> CountAsync(string target) => (await Gateway.Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64();
}
