using HeartGrains.Hosting;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Diagnostics;

public class LogLevelsTests
{
    [Theory]
    [InlineData("Orleans.Grain", false)]
    [InlineData("Orleans.Storage.AdoNetGrainStorage", false)]
    [InlineData("HeartGrains.Storage.NamelessGrainStorage", false)]
    [InlineData("HeartGrains.Storage.GrainStorage", true)]
    [InlineData("Orleans.Runtime.Messaging.Connection", false)]
    [InlineData("Orleans.Runtime.Messaging.ConnectionManager", true)]
    [InlineData("Polly", false)]
    [InlineData("Orleans.Messaging.GatewayManager", true)]
    [InlineData("Orleans.Runtime.MembershipService.MembershipTableManager", true)]
    [InlineData("Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService", false)]
    public void Category_AsDelivered_IsSilentIfItWritesOfEachCall(string category, bool isHeard) => IsHeard(category).ShouldBe(isHeard);

    [Fact]
    public void Category_LevelIsConfigured_IsAsConfigured() => IsHeard("Orleans.Grain", "--Logging:LogLevel:Orleans.Grain=Warning").ShouldBeTrue();

    private static bool IsHeard(string category, params string[] settings)
    {
        var builder = ServiceHost.CreateBuilder(["--mode=dev", "--port=0", .. settings], defaultPort: 0, GrainHosting.Features);
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(new LogLines());
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(LogLevel.Warning);
    }
}
