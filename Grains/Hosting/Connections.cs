using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace HeartGrains.Hosting;

/// <summary>The settings of other servers.</summary>
public static class Connections
{
    /// <summary>The settings that <see cref="ServiceHost.CreateBuilder"/> has read.</summary>
    public static HostSettings Settings(this WebApplicationBuilder builder) =>
        (HostSettings)builder.Services.Single(service => service.ServiceType == typeof(HostSettings)).ImplementationInstance!;

    /// <summary>A connection string that must be there.</summary>
    public static string RequiredConnection(this IConfiguration configuration, string name) =>
        configuration.GetConnectionString(name) is { Length: > 0 } value
            ? value
            : throw StartException.Setting($"ConnectionStrings:{name}", $"A cluster needs the address of its {name} server");
}

/// <summary>Reads Redis' address.</summary>
public static class RedisConnection
{
    /// <summary>Parses a connection string; an unreachable server is tried again for as long as the program runs.</summary>
    public static ConfigurationOptions Parse(string connection)
    {
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(connection);
        }
        catch (ArgumentException)
        {
            // The library's message repeats what it does not know, which may be the rest of a password.
            throw StartException.Setting("ConnectionStrings:Redis", "Redis' address cannot be read; write it as host:port,name=value");
        }

        if (!options.EndPoints.Any() || options.EndPoints.OfType<DnsEndPoint>().Any(server => Uri.CheckHostName(server.Host) == UriHostNameType.Unknown))
            throw StartException.Setting("ConnectionStrings:Redis", "Redis' address names no server; write it as host:port");

        options.ConnectTimeout = 2000;
        options.AsyncTimeout = 2000;
        return options;
    }
}
