import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** ssh and sftp as far as the tests need them, with JSch. Its command line is that of the scripts beside it. */
class WithJsch {
    private static final int PATIENCE = 20_000;

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = new HashMap<>();
        Iterator<String> words = List.of(arguments).iterator();
        String word = words.next();
        for (; word.startsWith("-"); word = words.next())
            options.put(word, word.equals("--sftp") ? "" : words.next());
        String[] destination = word.split("@");

        JSch jsch = new JSch();
        jsch.setKnownHosts(options.get("--known-hosts"));
        jsch.addIdentity(options.get("-i"));
        Session session = jsch.getSession(destination[0], destination[1], Integer.parseInt(options.get("-p")));
        session.setConfig("StrictHostKeyChecking", "yes");
        if (options.containsKey("--keepalive")) {
            session.setServerAliveInterval((int) (1000 * Double.parseDouble(options.get("--keepalive"))));
            session.setServerAliveCountMax(1);
        }
        session.connect(PATIENCE);
        int status;
        try {
            status = options.containsKey("--sftp") ? runBatch(session)
                : options.containsKey("--forward") ? forward(session, options.get("--forward"))
                : execute(session, words.next());
        } finally {
            session.disconnect();
        }
        System.out.flush();
        System.exit(status);
    }

    private static int execute(Session session, String command) throws Exception {
        ChannelExec channel = (ChannelExec) session.openChannel("exec");
        channel.setCommand(command);
        channel.setInputStream(System.in);
        channel.setErrStream(System.err, true);
        InputStream output = channel.getInputStream();
        channel.connect(PATIENCE);
        output.transferTo(System.out);
        while (!channel.isClosed())
            Thread.sleep(1);
        return channel.getExitStatus();
    }

    private static int forward(Session session, String target) throws Exception {
        int colon = target.lastIndexOf(':');
        var channel = session.getStreamForwarder(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
        channel.setInputStream(new EndlessInput());
        InputStream output = channel.getInputStream();
        channel.connect(PATIENCE);
        output.transferTo(System.out);
        return 0;
    }

    private static int runBatch(Session session) throws Exception {
        ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
        sftp.connect(PATIENCE);
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "mkdir" -> sftp.mkdir(words[1]);
                case "put" -> sftp.put(words[1], words[2]);
                case "ls" -> {
                    for (Object entry : sftp.ls(words[1]))
                        System.out.println(((ChannelSftp.LsEntry) entry).getFilename());
                }
                case "get" -> sftp.get(words[1], words[2]);
                case "rename" -> sftp.rename(words[1], words[2]);
                case "rm" -> sftp.rm(words[1]);
                case "rmdir" -> sftp.rmdir(words[1]);
                default -> throw new IllegalArgumentException(line);
            }
        }
        return 0;
    }

    /** Standard input, of which the end is kept from JSch: it would close the whole channel. */
    private static class EndlessInput extends FilterInputStream {
        EndlessInput() {
            super(System.in);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = super.read(buffer, offset, length);
            if (count >= 0)
                return count;
            LockSupport.park();
            throw new InterruptedIOException();
        }
    }
}
