// The file that the runner starts for post. It is not bundled: the bundle beside it sees by its name that this is post.
import './index.js';
