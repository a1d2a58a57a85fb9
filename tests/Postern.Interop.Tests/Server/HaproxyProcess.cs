using System.Text;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>HAProxy in front of one of the server's listeners.</summary>
internal sealed class HaproxyProcess : IAsyncDisposable
{
    private readonly RunningProgram process;

    private HaproxyProcess(RunningProgram process, int port)
    {
        this.process = process;
        Port = port;
    }

    public int Port { get; }

    /// <param name="options">Of the server line, such as <c>send-proxy</c>.</param>
    public static async Task<HaproxyProcess> StartAsync(PosternServer server, string listener, string options)
    {
        var program = Peer.Require("haproxy");
        var (process, port) = await ListeningProgram.StartAsync(
            async at => [program, "-db", "-f", await server.NewFileAsync("haproxy.cfg", Encoding.ASCII.GetBytes(Configuration(at, server.Port(listener), options)))]);
        return new HaproxyProcess(process, port);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static string Configuration(int port, int target, string options) => $$"""
        global
          maxconn 100
        defaults
          mode tcp
          timeout connect 10s
          timeout client 60s
          timeout server 60s
          unique-id-format %ci:%cp
        listen smtp
          bind 127.0.0.1:{{port}}
          server postern 127.0.0.1:{{target}} {{options}}

        """;
}
