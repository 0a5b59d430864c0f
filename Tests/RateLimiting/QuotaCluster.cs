using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Hosting;
using Orleans.Storage;
using Orleans.TestingHost;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>A silo in this process whose grains run on a fake clock and keep their state in <see cref="Store"/>.</summary>
public sealed class QuotaCluster : IAsyncLifetime
{
    private InProcessTestCluster? _cluster;

    internal QuotaStore Store { get; } = new();

    internal FakeTimeProvider Time { get; } = new();

    internal IGrainFactory Grains => _cluster!.Client;

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddRateLimiting();
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddKeyedSingleton<IGrainStorage>(RateLimitHosting.StorageName, Store);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    internal Task DeactivateAsync(IAddressable grain) => _cluster!.DeactivateAsync(grain);

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();
}
