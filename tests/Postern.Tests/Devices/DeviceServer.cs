using Postern.Commands.Output;
using Postern.Tests.Examples;

namespace Postern.Tests.Devices;

/// <summary>A server by the example for devices, which all habits share: 127.0.0.0/24 are its devices, and 127.0.0.20 one by itself.</summary>
public sealed class DeviceServer : IAsyncLifetime
{
    internal ExampleServer Example { get; } = new("devices", ("10.0.4.20/32", "127.0.0.20/32"), ("10.0.4.0/24", "127.0.0.0/24"));

    public async ValueTask InitializeAsync()
    {
        await Example.StartAsync();
        foreach (var command in (string[][])[["account", "add", "scanner"], ["credential", "add", "scanner", "--password-stdin"]])
        {
            var made = await Example.Run.WithInputAsync("saxophone\n", command);
            Assert.True(made.ExitCode == ExitCode.Ok, made.Error);
        }
    }

    public ValueTask DisposeAsync() => Example.DisposeAsync();
}
