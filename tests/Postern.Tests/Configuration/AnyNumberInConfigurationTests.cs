using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Testing;

namespace Postern.Tests.Configuration;

/// <summary>Any number as any number of a configuration: refused with its line, or taken by the engine.</summary>
public sealed class AnyNumberInConfigurationTests
{
    private static readonly string[] Units = ["", "w", "d", "h", "m", "s", "ms", "B", "KB", "KiB", "TB", "TiB"];

    [Theory]
    [InlineData("limits: {{ connections: '{0}' }}\n")]
    [InlineData("limits: {{ connections_per_address: '{0}' }}\n")]
    [InlineData("limits: {{ message_size: '{0}' }}\n")]
    [InlineData("limits: {{ recipients: '{0}' }}\n")]
    [InlineData("limits: {{ idle: '{0}' }}\n")]
    [InlineData("limits: {{ memory: '{0}' }}\n")]
    [InlineData("delivery: {{ retry: {{ first: '{0}', most: 36500d, give_up: 36500d }} }}\n")]
    [InlineData("delivery: {{ retry: {{ factor: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ most: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ give_up: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ warn: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ greylisted: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ mailbox_full: '{0}' }} }}\n")]
    [InlineData("delivery: {{ retry: {{ bounces: {{ give_up: '{0}' }} }} }}\n")]
    [InlineData("listeners: [{{ name: a, listen: '127.0.0.1:{0}' }}]\n")]
    [InlineData("networks: ['10.0.0.0/{0}']\n")]
    [InlineData("delivery: {{ routes: [{{ to: '*', via: 'smtp://a.example:{0}' }}] }}\n")]
    [InlineData("oauth: [{{ issuer: a, audience: b, jwks: 'file:///k', leeway: '{0}' }}]\n")]
    public void Row_227_any_number_in_a_configuration_is_refused_with_its_line_or_taken_by_the_engine(string format)
    {
        foreach (var text in NumberTexts.All.SelectMany(static n => Units.Select(unit => n + unit)))
        {
            switch (ConfigurationFile.Parse("postern.yaml", "/nowhere", string.Format(System.Globalization.CultureInfo.InvariantCulture, format, text)))
            {
                case ConfigurationOutcome.Invalid(var errors):
                    Assert.All(errors, error => Assert.True(error.Line == 1 && error.Column > 1, $"{format} with '{text}': {error}"));
                    break;
                case ConfigurationOutcome.Valid(var configuration):
                    var retry = configuration.ToRelay(tls: null, configuration.ToAccounts(), logCopy: null).Delivery.Retry;
                    var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
                    Assert.All((int[])[1, 2, 1000], attempts => Assert.InRange(retry.Pause(attempts, chance: 0.999), TimeSpan.FromTicks(1), TimeSpan.FromDays(41_000)));
                    Assert.True(retry.Next(attempts: 1000, now, now, chance: 0.999) > now);
                    break;
            }
        }
    }

    [Fact]
    public void Row_227_a_duration_or_size_that_is_taken_is_written_as_what_is_read_again()
    {
        foreach (var text in NumberTexts.All.SelectMany(static n => Units.Select(unit => n + unit)))
        {
            if (DurationText.TryParse(text, out var duration))
            {
                Assert.True(DurationText.TryParse(DurationText.Format(duration), out var again));
                Assert.Equal(duration, again);
            }

            if (SizeText.TryParse(text, out var size))
            {
                Assert.True(SizeText.TryParse(SizeText.Format(size), out var again));
                Assert.Equal(size, again);
            }
        }
    }
}
