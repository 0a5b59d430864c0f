using System.Net;
using System.Net.Sockets;
using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using HeartGrains.Storage;
using Orleans.Dashboard;

namespace HeartGrains.Gateway;

/// <summary>The one-process modes: a silo in the gateway's own process, reachable by nobody else.</summary>
internal static class EmbeddedSilo
{
    public static void AddEmbeddedSilo(this WebApplicationBuilder builder, HostSettings settings)
    {
        builder.Services.AddHeartGrains(settings, builder.Configuration);
        builder.UseOrleans(silo =>
        {
            silo.UseHeartGrainsDefaults();
            silo.UseLocalhostClustering(FreePort(), FreePort(), serviceId: settings.Cluster.ServiceId, clusterId: settings.Cluster.ClusterId);
            silo.AddRateLimiting(spareSeats: 0);
            silo.AddProcessGrainStorage(RateLimitHosting.StorageName);
            if (settings.ShowsDashboard()) silo.AddDashboard();
        });
    }

    /// <summary>On unless switched off, but by default only where nobody else can look.</summary>
    public static bool ShowsDashboard(this HostSettings settings) =>
        settings.Mode != HostMode.Cluster && (settings.Dashboard ?? settings.OperatorsAreOnLoopback());

    /// <summary>What operators get can be reached from this machine only.</summary>
    public static bool OperatorsAreOnLoopback(this HostSettings settings) =>
        IPAddress.IsLoopback(IPAddress.Parse(settings.Admin.Port is null ? settings.Listen : settings.Admin.Listen));

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
