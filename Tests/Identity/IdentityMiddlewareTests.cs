using System.Net;
using HeartGrains.Gateway.Identity;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Identity;

/// <summary>What is spent on credentials: nothing where nobody asks for them, and never more than an address may call.</summary>
public sealed class IdentityMiddlewareTests
{
    [Fact]
    public async Task Verify_EndpointThatAsksNobody_LooksAtNothing()
    {
        await using var gateway = new GatewayServer([.. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Ecdsa))]);
        await gateway.InitializeAsync();
        var looked = new List<string>();
        foreach (var endpoint in gateway.Services.GetServices<EndpointDataSource>().SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>())
        {
            var context = new DefaultHttpContext { RequestServices = gateway.Services };
            context.Request.Headers.Authorization = "Bearer " + TestSigner.Ecdsa("ec").Sign("u", TimeProvider.System.GetUtcNow());
            context.SetEndpoint(endpoint);
            var middleware = ActivatorUtilities.CreateInstance<IdentityMiddleware>(gateway.Services, (RequestDelegate)(static _ => Task.CompletedTask));
            await middleware.InvokeAsync(context);
            if (context.Features.Get<Proof>() is { } proof) looked.Add($"{endpoint.RoutePattern.RawText} {proof.Fault}");
        }

        looked.ShouldContain("/api/v1/hearts the signature is not its key's");
        looked.ShouldContain("/api/v1/users the signature is not its key's");
        looked.ShouldAllBe(static route => route.StartsWith("/api/v1/", StringComparison.Ordinal));
        looked.ShouldNotContain(static route => route.Contains("/top", StringComparison.Ordinal) || route.Contains("/live", StringComparison.Ordinal) || route.Contains("/badge", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_ThatIsNeverRefused_CostsItsAddressWhatIsNotBelieved()
    {
        await using var gateway = new GatewayServer(
        [
            .. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Ecdsa)), .. JwtServer.Keys, "--HeartGrains:LocalLimits:Address:TokenLimit=4", "--HeartGrains:LocalLimits:Address:TokensPerPeriod=1", "--HeartGrains:LocalLimits:Address:ReplenishmentPeriod=1.00:00:00",
        ]);
        await gateway.InitializeAsync();

        // A token that was never seen is looked at too; then it is known.
        var good = JwtServer.Ecdsa.Sign("ann", TimeProvider.System.GetUtcNow());
        for (var call = 0; call < 10; call++) (await CallAsync("/api/v1/events", good)).ShouldBe(HttpStatusCode.Forbidden);
        for (var call = 0; call < 10; call++) (await CallAsync("/api/v1/events", JwtServer.AdminKey)).ShouldBe(HttpStatusCode.OK);
        for (var call = 0; call < 10; call++) (await CallAsync("/api/v1/events", JwtServer.ReadKey)).ShouldBe(HttpStatusCode.Forbidden);

        (await CallAsync("/api/v1/events", TestSigner.Ecdsa("ec").Sign("ann", TimeProvider.System.GetUtcNow()))).ShouldBe(HttpStatusCode.Unauthorized);
        (await CallAsync("/api/v1/events", "hg_guessed")).ShouldBe(HttpStatusCode.Unauthorized);
        (await CallAsync("/api/v1/events", "hg_guessed-again")).ShouldBe(HttpStatusCode.Unauthorized);
        using (var refused = await gateway.Client.SendAsync(HttpMethod.Get, "/api/v1/events", "hg_guessed-once-more"))
        {
            await refused.ShouldBeProblemAsync(429, "quota-exceeded");
            refused.Headers.RetryAfter.ShouldNotBeNull();
        }

        (await CallAsync("/api/v1/events", JwtServer.AdminKey)).ShouldBe(HttpStatusCode.OK, "an operator is let in all the same");
        (await CallAsync("/api/v1/events", good)).ShouldBe(HttpStatusCode.Forbidden);
        (await CallAsync("/health/live", "hg_guessed")).ShouldBe(HttpStatusCode.OK);

        async Task<HttpStatusCode> CallAsync(string path, string bearer)
        {
            using var answer = await gateway.Client.SendAsync(HttpMethod.Get, path, bearer);
            return answer.StatusCode;
        }
    }
}
