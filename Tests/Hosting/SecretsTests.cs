using HeartGrains.Hosting;

namespace HeartGrains.Tests.Hosting;

public class SecretsTests
{
    [Theory]
    [InlineData("HeartGrains:Key", "abc", "******")]
    [InlineData("HeartGrains:Readers:PreviousSecret", "abc", "******")]
    [InlineData("HeartGrains:Auth:Keys:0:Hash", "abc", "******")]
    [InlineData("HeartGrains:Auth:Keys:0:Name", "school", "school")]
    [InlineData("HeartGrains:Auth:Jwt:Keys:1", "abc", "******")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "authorization=abc", "******")]
    [InlineData("Kestrel:Certificates:Default:Password", "abc", "******")]
    [InlineData("HeartGrains:Traces:Endpoint", "http://me:abc@127.0.0.1:4317/", "http://me:******@127.0.0.1:4317/")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:a@bc@127.0.0.1:4317", "http://me:******@127.0.0.1:4317")]
    [InlineData("HeartGrains:Webhooks:Endpoints:0:Url", "https://hooks.example.com:8443/services/T0/abc?token=x", "https://hooks.example.com:8443/******")]
    [InlineData("HeartGrains:Webhooks:Endpoints:0:Url", "https://hooks.example.com?x", "https://hooks.example.com/******")]
    [InlineData("HeartGrains:Webhooks:Endpoints:0:Url", "https://hooks.example.com", "https://hooks.example.com")]
    [InlineData("HeartGrains:Webhooks:Endpoints:0:Url", "hooks.example.com/abc", "******")]
    [InlineData("HeartGrains:Sites", "https://blog.example.com", "https://blog.example.com")]
    [InlineData("ConnectionStrings:Redis", "a:6379,b:6379,Password=abc,ssl=true", "a:6379,b:6379,Password=******,ssl=true")]
    [InlineData("ConnectionStrings:Redis", "a:6379,password=ab,cd=ef,gh,user=me", "a:6379,password=******,******,******,user=me")]
    [InlineData("ConnectionStrings:Redis", "redis://me:abc@a:6379", "******")]
    [InlineData("ConnectionStrings:Redis", "a:6379", "a:6379")]
    [InlineData("ConnectionStrings:Postgres", "Host=a;Password='a;b=c';Username=u", "host=a;password=******;username=u")]
    [InlineData("ConnectionStrings:Postgres", "Host=a;PWD=abc", "host=a;pwd=******")]
    [InlineData("ConnectionStrings:Postgres", "Host=a;SSL Password=abc", "host=a;ssl password=******")]
    [InlineData("ConnectionStrings:Postgres", "Host=a;Pasword=abc;Port=1", "host=a;******=******;port=1")]
    [InlineData("ConnectionStrings:Postgres", "Host=a;Password='abc", "******")]
    [InlineData("ConnectionStrings:Postgres", "Password=abc", "Password=******")]
    public void Hide_Value_IsShownWithoutItsSecret(string key, string value, string shown) => Secrets.Hide(key, value).ShouldBe(shown);
}
